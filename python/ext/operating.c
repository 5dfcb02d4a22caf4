/*
 * Operating curves for Python.
 */
#include "binding.h"

static void
destroy_curve(void *curve)
{
	perseus_operating_curve_free(curve);
}

/* A curve whose points came from Python. */
static void
destroy_given_curve(void *given)
{
	struct perseus_operating_curve *curve = given;
	binding_free(curve->points);
	binding_free(curve);
}

static PyObject *
operating_new(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int n_pipelines;
	int gpus_per_stage;
	double overhead_s;
	if (!PyArg_ParseTuple(args, "Oiid:operating_new", &capsule, &n_pipelines, &gpus_per_stage, &overhead_s))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	struct perseus_operating_curve *curve = NULL;
	struct perseus_error err;
	const enum perseus_status status =
			perseus_operating_curve_new(frontier, n_pipelines, gpus_per_stage, overhead_s, &curve, &err);
	return status == PERSEUS_OK ? binding_wrap(curve, BINDING_OPERATING_CURVE, destroy_curve, NULL)
								: binding_raise(module, &err);
}

/* Points of `rates` and `powers`, both of length n; NULL with an exception set on failure. */
static struct perseus_operating_curve *
new_given_curve(const double *rates, const double *powers, Py_ssize_t n)
{
	struct perseus_operating_curve *curve = binding_new_array(1, sizeof(*curve));
	struct perseus_operating_point *points = curve == NULL ? NULL : binding_new_array(n, sizeof(*points));
	if (points == NULL) {
		binding_free(curve);
		return NULL;
	}
	for (Py_ssize_t i = 0; i < n; i++)
		points[i] = (struct perseus_operating_point){.rate_hz = rates[i], .power_w = powers[i]};
	*curve = (struct perseus_operating_curve){.n_points = (int32_t)n, .points = points};
	return curve;
}

static PyObject *
operating_from_columns(PyObject *module, PyObject *args)
{
	PyObject *columns[2];
	if (!PyArg_ParseTuple(args, "OO:operating_from_columns", &columns[0], &columns[1]))
		return NULL;
	Py_ssize_t n_rates = 0;
	Py_ssize_t n_powers = 0;
	double *rates = binding_double_array(columns[0], &n_rates);
	double *powers = rates == NULL ? NULL : binding_double_array(columns[1], &n_powers);
	struct perseus_operating_curve *curve = NULL;
	if (powers != NULL && (n_rates != n_powers || n_rates > INT32_MAX))
		PyErr_SetString(PyExc_ValueError, "an operating curve needs as many powers as rates");
	else if (powers != NULL)
		curve = new_given_curve(rates, powers, n_rates);
	binding_free(rates);
	binding_free(powers);
	if (curve == NULL)
		return NULL;
	struct perseus_error err;
	if (perseus_operating_curve_check(curve, &err) == PERSEUS_OK)
		return binding_wrap(curve, BINDING_OPERATING_CURVE, destroy_given_curve, NULL);
	destroy_given_curve(curve);
	return binding_raise(module, &err);
}

static PyObject *
make_point(const void *user, Py_ssize_t i)
{
	const struct perseus_operating_curve *curve = user;
	return Py_BuildValue("dd", curve->points[i].rate_hz, curve->points[i].power_w);
}

static PyObject *
operating_points(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_operating_curve *curve = binding_unwrap(capsule, BINDING_OPERATING_CURVE);
	return curve == NULL ? NULL : binding_tuple(curve->n_points, make_point, curve);
}

static PyObject *
look_up(PyObject *args, const char *format, double (*value_of)(const struct perseus_operating_curve *, double))
{
	PyObject *capsule;
	double value;
	if (!PyArg_ParseTuple(args, format, &capsule, &value))
		return NULL;
	const struct perseus_operating_curve *curve = binding_unwrap(capsule, BINDING_OPERATING_CURVE);
	return curve == NULL ? NULL : PyFloat_FromDouble(value_of(curve, value));
}

static PyObject *
operating_power(PyObject *Py_UNUSED(module), PyObject *args)
{
	return look_up(args, "Od:operating_power", perseus_operating_power_w);
}

static PyObject *
operating_rate(PyObject *Py_UNUSED(module), PyObject *args)
{
	return look_up(args, "Od:operating_rate", perseus_operating_rate_hz);
}

static PyObject *
operating_check(PyObject *module, PyObject *capsule)
{
	const struct perseus_operating_curve *curve = binding_unwrap(capsule, BINDING_OPERATING_CURVE);
	if (curve == NULL)
		return NULL;
	struct perseus_error err;
	if (perseus_operating_curve_check(curve, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

PyMethodDef binding_operating_methods[] = {
	{"operating_new", operating_new, METH_VARARGS, NULL},
	{"operating_from_columns", operating_from_columns, METH_VARARGS, NULL},
	{"operating_points", operating_points, METH_O, NULL},
	{"operating_power", operating_power, METH_VARARGS, NULL},
	{"operating_rate", operating_rate, METH_VARARGS, NULL},
	{"operating_check", operating_check, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
