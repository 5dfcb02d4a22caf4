/*
 * What the files of the extension share. The extension is a flat set of functions over opaque capsules; the classes
 * that people use are written in Python, in ../perseus. Limited API of Python 3.9: one build serves every later one.
 */
#ifndef PERSEUS_PYTHON_BINDING_H
#define PERSEUS_PYTHON_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/perseus.h>

/* Names of the capsules; also what an error message calls the object. */
#define BINDING_PROFILE "perseus.Profile"
#define BINDING_SCHEDULE "perseus.Schedule"
#define BINDING_FRONTIER "perseus.Frontier"
#define BINDING_PLAN "perseus.Plan"
#define BINDING_FAMILY "perseus.BaselineFamily"
#define BINDING_PLAN_TABLE "perseus.PlanTable"
#define BINDING_OPERATING_CURVE "perseus.OperatingCurve"
#define BINDING_PACE "perseus.Pace"
#define BINDING_LAYERS "perseus.Layers"
#define BINDING_PARTITION "perseus.Partition"
#define BINDING_METER "perseus.Meter"
#define BINDING_NODE "perseus.Node"

/* Exceptions, one set per interpreter. */
struct binding_state {
	PyObject *error;
	PyObject *invalid;
	PyObject *infeasible;
	PyObject *cancelled;
};

/* Methods of the module; each file ends with its table. */
extern PyMethodDef binding_profile_methods[];
extern PyMethodDef binding_schedule_methods[];
extern PyMethodDef binding_frontier_methods[];
extern PyMethodDef binding_plan_methods[];
extern PyMethodDef binding_baseline_methods[];
extern PyMethodDef binding_operating_methods[];
extern PyMethodDef binding_allocate_methods[];
extern PyMethodDef binding_pace_methods[];
extern PyMethodDef binding_simulate_methods[];
extern PyMethodDef binding_partition_methods[];
extern PyMethodDef binding_document_methods[];
extern PyMethodDef binding_meter_methods[];
extern PyMethodDef binding_simulated_methods[];

/* Sets the exception that belongs to `err`; always NULL. */
PyObject *binding_raise(PyObject *module, const struct perseus_error *err);

/*
 * A capsule that owns `object` and keeps `keep` (may be NULL) alive as long as itself. On failure `object` is destroyed
 * too and NULL returned with an exception set.
 */
PyObject *binding_wrap(void *object, const char *name, void (*destroy)(void *), PyObject *keep);

/* The object in a capsule of that name; NULL with TypeError otherwise. */
void *binding_unwrap(PyObject *capsule, const char *name);

/* The plan in a capsule; NULL with ValueError where it has not the ranks and instructions of the frontier. */
const struct perseus_plan *binding_plan_of(const struct perseus_frontier *frontier, PyObject *capsule);

/*
 * A new array with the elements of a sequence, freed with binding_free; `*n` is their number. NULL with an exception
 * set on failure; an empty sequence gives an array, too.
 */
int64_t *binding_int64_array(PyObject *sequence, Py_ssize_t *n);
int32_t *binding_int32_array(PyObject *sequence, Py_ssize_t *n);
double *binding_double_array(PyObject *sequence, Py_ssize_t *n);
void *binding_new_array(Py_ssize_t n, size_t size);
void binding_free(const void *array);

/* New tuples; NULL with an exception set on failure. */
PyObject *binding_int64_tuple(const int64_t *values, Py_ssize_t n);
PyObject *binding_int32_tuple(const int32_t *values, Py_ssize_t n);
PyObject *binding_double_tuple(const double *values, Py_ssize_t n);

/* A new tuple of `n` elements, element i made by make(user, i); NULL with an exception set on failure. */
PyObject *binding_tuple(Py_ssize_t n, PyObject *(*make)(const void *user, Py_ssize_t i), const void *user);

/* More than any document of what fits in memory beside it; only keeps a fault from filling the machine. */
#define BINDING_MAX_DOCUMENT_BYTES ((size_t)1 << 31)

/* The bytes of `text` as a string; `text` is freed. NULL with an exception set on failure. */
PyObject *binding_text(struct perseus__text *text);

/* A class as (stage, name, n_measurements, oddities, choices, pareto, hull). */
PyObject *binding_class_tuple(const struct perseus_class *class_);

/* Settings out of what Python gave; false with ValueError where a value is out of range. */
bool binding_plan_settings(
		long long deadline_ns, int granularity, long long switch_latency_ns, struct perseus_plan_settings *settings);

/* How rows are merged, by its name; false with ValueError where it has no such name. */
bool binding_merge(const char *name, enum perseus_merge *merge);

/* Reads `rows`, a tuple of `n` tuples that must outlive the result; freed with binding_free. NULL as above. */
struct perseus_measurement *binding_measurements(PyObject *rows, Py_ssize_t n);

/* A new tuple with the elements of any iterable, each made a tuple itself; NULL with an exception set on failure. */
PyObject *binding_tuple_of_tuples(PyObject *iterable);

#endif
