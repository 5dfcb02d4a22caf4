/*
 * Allocations of power for Python.
 */
#include "binding.h"

/* Jobs out of curves and weights, both sequences; freed with binding_free. NULL with an exception set on failure. */
static struct perseus_allocation_job *
parse_jobs(PyObject *curves, PyObject *weights, Py_ssize_t *n)
{
	Py_ssize_t n_weights = 0;
	double *values = binding_double_array(weights, &n_weights);
	if (values == NULL)
		return NULL;
	PyObject *tuple = PySequence_Tuple(curves);
	*n = tuple == NULL ? 0 : PyTuple_Size(tuple);
	struct perseus_allocation_job *jobs = tuple == NULL ? NULL : binding_new_array(*n, sizeof(*jobs));
	if (jobs != NULL && (*n != n_weights || *n > INT32_MAX))
		PyErr_SetString(PyExc_ValueError, "an allocation needs as many weights as curves");
	for (Py_ssize_t j = 0; jobs != NULL && PyErr_Occurred() == NULL && j < *n; j++)
		jobs[j] = (struct perseus_allocation_job){
			.curve = binding_unwrap(PyTuple_GetItem(tuple, j), BINDING_OPERATING_CURVE), .weight = values[j]};
	Py_XDECREF(tuple);
	binding_free(values);
	if (PyErr_Occurred() == NULL)
		return jobs;
	binding_free(jobs);
	return NULL;
}

static PyObject *
make_allotment(const void *user, Py_ssize_t j)
{
	const struct perseus_allocation *allocation = user;
	return Py_BuildValue("ddd", allocation->jobs[j].power_w, allocation->jobs[j].rate_hz, allocation->jobs[j].speed);
}

static bool
check_rule(int rule)
{
	static const int n_rules = 0
#define X(name, text) +1
			PERSEUS_ALLOCATION_RULE_MAP(X)
#undef X
			;
	if (rule >= 0 && rule < n_rules)
		return true;
	PyErr_Format(PyExc_ValueError, "no rule of allocation has number %d", rule);
	return false;
}

/* (rule, limit, power, work, full power, full work, price, bound, level, ((power, rate, speed), ...)) */
static PyObject *
allocation_new(PyObject *module, PyObject *args)
{
	PyObject *curves;
	PyObject *weights;
	double limit_w;
	int rule;
	Py_ssize_t n = 0;
	if (!PyArg_ParseTuple(args, "OOdi:allocation_new", &curves, &weights, &limit_w, &rule) || !check_rule(rule))
		return NULL;
	struct perseus_allocation_job *jobs = parse_jobs(curves, weights, &n);
	if (jobs == NULL)
		return NULL;
	struct perseus_allocation *allocation = NULL;
	struct perseus_error err;
	const enum perseus_status status =
			perseus_allocation_new(jobs, (int32_t)n, limit_w, (enum perseus_allocation_rule)rule, &allocation, &err);
	binding_free(jobs);
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	PyObject *result = Py_BuildValue("iddddddddN", rule, allocation->limit_w, allocation->power_w, allocation->work,
			allocation->full_power_w, allocation->full_work, allocation->price_per_w, allocation->bound,
			allocation->level, binding_tuple(n, make_allotment, allocation));
	perseus_allocation_free(allocation);
	return result;
}

/* Reads the allotments of the tuple that allocation_new returns. NULL with an exception set on failure. */
static struct perseus_allotment *
parse_allotments(PyObject *sequence, Py_ssize_t *n)
{
	PyObject *tuple = binding_tuple_of_tuples(sequence);
	*n = tuple == NULL ? 0 : PyTuple_Size(tuple);
	struct perseus_allotment *allotments = tuple == NULL ? NULL : binding_new_array(*n, sizeof(*allotments));
	for (Py_ssize_t j = 0; allotments != NULL && j < *n; j++) {
		struct perseus_allotment *allotment = &allotments[j];
		if (!PyArg_ParseTuple(
					PyTuple_GetItem(tuple, j), "ddd", &allotment->power_w, &allotment->rate_hz, &allotment->speed)) {
			binding_free(allotments);
			allotments = NULL;
		}
	}
	Py_XDECREF(tuple);
	return allotments;
}

static PyObject *
allocation_check(PyObject *module, PyObject *args)
{
	PyObject *tuple;
	PyObject *curves;
	PyObject *weights;
	PyObject *sequence;
	double tolerance;
	int rule;
	Py_ssize_t n = 0;
	Py_ssize_t n_jobs = 0;
	struct perseus_allocation allocation = {0};
	if (!PyArg_ParseTuple(args, "O!OOd:allocation_check", &PyTuple_Type, &tuple, &curves, &weights, &tolerance)
			|| !PyArg_ParseTuple(tuple, "iddddddddO", &rule, &allocation.limit_w, &allocation.power_w, &allocation.work,
					&allocation.full_power_w, &allocation.full_work, &allocation.price_per_w, &allocation.bound,
					&allocation.level, &sequence)
			|| !check_rule(rule))
		return NULL;
	allocation.rule = (enum perseus_allocation_rule)rule;
	struct perseus_allocation_job *jobs = parse_jobs(curves, weights, &n_jobs);
	allocation.jobs = jobs == NULL ? NULL : parse_allotments(sequence, &n);
	if (allocation.jobs != NULL && n != n_jobs)
		PyErr_SetString(PyExc_ValueError, "the allocation is of another number of jobs");
	allocation.n_jobs = (int32_t)n_jobs;
	struct perseus_error err;
	const bool is_parsed = PyErr_Occurred() == NULL;
	const enum perseus_status status =
			is_parsed ? perseus_allocation_check(&allocation, jobs, tolerance, &err) : PERSEUS_INVALID;
	binding_free(allocation.jobs);
	binding_free(jobs);
	if (!is_parsed)
		return NULL;
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

PyMethodDef binding_allocate_methods[] = {
	{"allocation_new", allocation_new, METH_VARARGS, NULL},
	{"allocation_check", allocation_check, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
