/*
 * The frontier for Python: solving without the interpreter lock, with progress and Ctrl-C, and its certificates.
 */
#include "binding.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>

/* The interpreter is asked this often for signals while solving; taking its lock more often only slows others down. */
static const int64_t watch_interval_ns = INT64_C(50) * 1000000;

static void
destroy_frontier(void *frontier)
{
	perseus_frontier_free(frontier);
}

/* A solve under way, seen from Python. */
struct watch {
	PyObject *progress;    /* called with the fraction done, or None */
	PyThreadState *thread; /* of the thread that solves, while it does not hold the interpreter lock */
	int64_t next_ns;       /* when to look again */
	atomic_bool cancel;
};

static bool
ask_python(const struct watch *watch, double fraction)
{
	if (PyErr_CheckSignals() < 0)
		return false;
	if (watch->progress == Py_None)
		return true;
	PyObject *result = PyObject_CallFunction(watch->progress, "d", fraction);
	Py_XDECREF(result);
	return result != NULL;
}

/* An exception, from a signal or from the callback, stays set in the thread and stops the solve. */
static void
on_progress(double fraction, void *user)
{
	struct watch *watch = user;
	const int64_t now_ns = perseus__clock_mono_ns();
	if (now_ns < watch->next_ns || atomic_load(&watch->cancel))
		return;
	PyEval_RestoreThread(watch->thread);
	if (!ask_python(watch, fraction))
		atomic_store(&watch->cancel, true);
	watch->thread = PyEval_SaveThread();
	watch->next_ns = perseus__clock_mono_ns() + watch_interval_ns;
}

static PyObject *
solve(PyObject *module, PyObject *pair, const struct perseus_profile *profile, const struct perseus_schedule *schedule,
		struct perseus_frontier_settings *settings, PyObject *progress)
{
	struct watch watch = {.progress = progress};
	atomic_init(&watch.cancel, false);
	settings->progress = on_progress;
	settings->user = &watch;
	settings->cancel = &watch.cancel;
	struct perseus_frontier *frontier = NULL;
	struct perseus_error err;
	watch.thread = PyEval_SaveThread();
	const enum perseus_status status = perseus_frontier_new(profile, schedule, settings, &frontier, &err);
	PyEval_RestoreThread(watch.thread);
	if (PyErr_Occurred() != NULL) {
		if (status == PERSEUS_OK)
			perseus_frontier_free(frontier);
		return NULL;
	}
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	return binding_wrap(frontier, BINDING_FRONTIER, destroy_frontier, pair);
}

static PyObject *
frontier_new(PyObject *module, PyObject *args)
{
	PyObject *profile_capsule;
	PyObject *schedule_capsule;
	PyObject *progress;
	long long slope_quantum_uw;
	Py_ssize_t checkpoint_bytes;
	if (!PyArg_ParseTuple(args, "OOLnO:frontier_new", &profile_capsule, &schedule_capsule, &slope_quantum_uw,
				&checkpoint_bytes, &progress))
		return NULL;
	const struct perseus_profile *profile = binding_unwrap(profile_capsule, BINDING_PROFILE);
	const struct perseus_schedule *schedule =
			profile == NULL ? NULL : binding_unwrap(schedule_capsule, BINDING_SCHEDULE);
	if (schedule == NULL)
		return NULL;
	if (slope_quantum_uw < 0 || checkpoint_bytes < 0) {
		PyErr_SetString(PyExc_ValueError, "the slope quantum and the checkpoint memory must not be negative");
		return NULL;
	}
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw = slope_quantum_uw;
	settings.checkpoint_bytes = (size_t)checkpoint_bytes;
	PyObject *pair = PyTuple_Pack(2, profile_capsule, schedule_capsule);
	if (pair == NULL)
		return NULL;
	PyObject *capsule = solve(module, pair, profile, schedule, &settings, progress);
	Py_DECREF(pair);
	return capsule;
}

static PyObject *
frontier_info(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	return Py_BuildValue("LLLLiLiiNd", (long long)info.t_min_ns, (long long)info.t_star_ns,
			(long long)info.t_min_energy_ns, (long long)info.blocking_power_uw, info.n_breakpoints,
			(long long)info.n_augmentations, info.n_nodes, info.n_arcs, PyBool_FromLong(info.used_fallback),
			info.loss_bound);
}

static PyObject *
make_point(const void *user, Py_ssize_t i)
{
	const struct perseus_frontier_point point = perseus_frontier_point(user, (int32_t)i);
	return Py_BuildValue(
			"LLL", (long long)point.time_ns, (long long)point.effective_nj, (long long)point.marginal_power_uw);
}

static PyObject *
frontier_points(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	return binding_tuple(perseus_frontier_info(frontier).n_breakpoints, make_point, frontier);
}

/* (effective energy, energy) in J at a time; NaN below T_min */
static PyObject *
frontier_energies(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *capsule;
	long long time_ns;
	if (!PyArg_ParseTuple(args, "OL:frontier_energies", &capsule, &time_ns))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	return Py_BuildValue(
			"dd", perseus_frontier_effective_energy_j(frontier, time_ns), perseus_frontier_energy_j(frontier, time_ns));
}

static PyObject *
frontier_class(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *capsule;
	int index;
	if (!PyArg_ParseTuple(args, "Oi:frontier_class", &capsule, &index))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	if (index < 0 || index >= perseus_frontier_schedule(frontier)->n_instructions)
		return PyErr_Format(PyExc_IndexError, "no instruction has index %d", index);
	return binding_class_tuple(perseus_frontier_class(frontier, index));
}

static PyObject *
certificate_tuple(const struct perseus_certificate *certificate)
{
	const Py_ssize_t n = certificate->n_instructions;
	return Py_BuildValue("LLNNNNNN", (long long)certificate->deadline_ns, (long long)certificate->units_per_watt,
			binding_double_tuple(certificate->time_ns, n), binding_double_tuple(certificate->start_ns, n),
			binding_int64_tuple(certificate->flow, n),
			binding_int64_tuple(certificate->edge_flow, certificate->n_edges),
			binding_int64_tuple(certificate->start_flow, n), binding_int64_tuple(certificate->end_flow, n));
}

static PyObject *
frontier_certificate(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	long long time_ns;
	if (!PyArg_ParseTuple(args, "OL:frontier_certificate", &capsule, &time_ns))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	struct perseus_certificate *certificate = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_frontier_certificate(frontier, time_ns, &certificate, &err);
	Py_END_ALLOW_THREADS if (status != PERSEUS_OK) return binding_raise(module, &err);
	PyObject *tuple = certificate_tuple(certificate);
	perseus_certificate_free(certificate);
	return tuple;
}

static void
free_arrays(const struct perseus_certificate *certificate)
{
	binding_free(certificate->time_ns);
	binding_free(certificate->start_ns);
	binding_free(certificate->flow);
	binding_free(certificate->edge_flow);
	binding_free(certificate->start_flow);
	binding_free(certificate->end_flow);
}

/* Reads the tuple that certificate_tuple writes; the arrays go with free_arrays, on failure, too. */
static bool
parse_certificate(PyObject *tuple, struct perseus_certificate *certificate)
{
	long long deadline_ns;
	long long units_per_watt;
	PyObject *column[6];
	Py_ssize_t n[6] = {0};
	if (!PyArg_ParseTuple(tuple, "LLOOOOOO", &deadline_ns, &units_per_watt, &column[0], &column[1], &column[2],
				&column[3], &column[4], &column[5]))
		return false;
	certificate->deadline_ns = deadline_ns;
	certificate->units_per_watt = units_per_watt;
	if ((certificate->time_ns = binding_double_array(column[0], &n[0])) == NULL
			|| (certificate->start_ns = binding_double_array(column[1], &n[1])) == NULL
			|| (certificate->flow = binding_int64_array(column[2], &n[2])) == NULL
			|| (certificate->edge_flow = binding_int64_array(column[3], &n[3])) == NULL
			|| (certificate->start_flow = binding_int64_array(column[4], &n[4])) == NULL
			|| (certificate->end_flow = binding_int64_array(column[5], &n[5])) == NULL)
		return false;
	if (n[0] != n[1] || n[0] != n[2] || n[0] != n[4] || n[0] != n[5] || n[0] > INT32_MAX || n[3] > INT32_MAX) {
		PyErr_SetString(PyExc_ValueError, "the columns of a certificate must be equally long");
		return false;
	}
	certificate->n_instructions = (int32_t)n[0];
	certificate->n_edges = (int32_t)n[3];
	return true;
}

/* (lower bound, energy) in J of effective energy */
static PyObject *
certificate_check(PyObject *module, PyObject *args)
{
	PyObject *tuple;
	PyObject *profile_capsule;
	PyObject *schedule_capsule;
	double tolerance;
	if (!PyArg_ParseTuple(args, "O!OOd:certificate_check", &PyTuple_Type, &tuple, &profile_capsule, &schedule_capsule,
				&tolerance))
		return NULL;
	const struct perseus_profile *profile = binding_unwrap(profile_capsule, BINDING_PROFILE);
	const struct perseus_schedule *schedule =
			profile == NULL ? NULL : binding_unwrap(schedule_capsule, BINDING_SCHEDULE);
	if (schedule == NULL)
		return NULL;
	struct perseus_certificate certificate = {0};
	if (!parse_certificate(tuple, &certificate)) {
		free_arrays(&certificate);
		return NULL;
	}
	double lower_bound_j = 0;
	double energy_j = 0;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status =
			perseus_certificate_check(&certificate, profile, schedule, tolerance, &lower_bound_j, &energy_j, &err);
	Py_END_ALLOW_THREADS free_arrays(&certificate);
	return status == PERSEUS_OK ? Py_BuildValue("dd", lower_bound_j, energy_j) : binding_raise(module, &err);
}

PyMethodDef binding_frontier_methods[] = {
	{"frontier_new", frontier_new, METH_VARARGS, NULL},
	{"frontier_info", frontier_info, METH_O, NULL},
	{"frontier_points", frontier_points, METH_O, NULL},
	{"frontier_energies", frontier_energies, METH_VARARGS, NULL},
	{"frontier_class", frontier_class, METH_VARARGS, NULL},
	{"frontier_certificate", frontier_certificate, METH_VARARGS, NULL},
	{"certificate_check", certificate_check, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
