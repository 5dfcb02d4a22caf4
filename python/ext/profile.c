/*
 * Profiles for Python: rows or a CSV in, classes with their points out.
 */
#include "binding.h"

#include "format/profile_csv.h"

#include <string.h>

static void
destroy_profile(void *profile)
{
	perseus_profile_free(profile);
}

static PyObject *
wrap_profile(struct perseus_profile *profile)
{
	return binding_wrap(profile, BINDING_PROFILE, destroy_profile, NULL);
}

/* Settings of a profile and the array behind them. */
struct settings {
	struct perseus_profile_settings profile;
	double *blocking_power_w;
};

bool
binding_merge(const char *name, enum perseus_merge *merge)
{
	if (strcmp(name, "mean") == 0)
		*merge = PERSEUS_MERGE_MEAN;
	else if (strcmp(name, "slowest") == 0)
		*merge = PERSEUS_MERGE_SLOWEST;
	else
		return PyErr_Format(PyExc_ValueError, "merge is '%s', expected 'mean' or 'slowest'", name) != NULL;
	return true;
}

static bool
parse_settings(PyObject *blocking_power_w, const char *merge, struct settings *settings)
{
	*settings = (struct settings){.profile = perseus_profile_settings_default()};
	if (!binding_merge(merge, &settings->profile.merge))
		return false;
	Py_ssize_t n = 0;
	settings->blocking_power_w = binding_double_array(blocking_power_w, &n);
	if (settings->blocking_power_w == NULL)
		return false;
	if (n > PERSEUS_MAX_STAGES) {
		binding_free(settings->blocking_power_w);
		return PyErr_Format(PyExc_ValueError, "%zd blocking powers, expected one or one per stage", n) != NULL;
	}
	settings->profile.blocking_power_w = settings->blocking_power_w;
	settings->profile.n_blocking_power = (int32_t)n;
	return true;
}

struct perseus_measurement *
binding_measurements(PyObject *rows, Py_ssize_t n)
{
	struct perseus_measurement *measurements = binding_new_array(n, sizeof(*measurements));
	if (measurements == NULL)
		return NULL;
	for (Py_ssize_t i = 0; i < n; i++) {
		struct perseus_measurement *row = &measurements[i];
		if (!PyArg_ParseTuple(PyTuple_GetItem(rows, i),
					"isidd;a row is (stage, instruction, frequency_mhz, time_s, energy_j)", &row->stage,
					&row->instruction, &row->frequency_mhz, &row->time_s, &row->energy_j)) {
			binding_free(measurements);
			return NULL;
		}
	}
	return measurements;
}

static PyObject *
profile_new(PyObject *module, PyObject *args)
{
	PyObject *iterable;
	PyObject *blocking_power_w;
	const char *merge;
	struct settings settings;
	if (!PyArg_ParseTuple(args, "OOs:profile_new", &iterable, &blocking_power_w, &merge))
		return NULL;
	PyObject *rows = binding_tuple_of_tuples(iterable);
	if (rows == NULL)
		return NULL;
	const Py_ssize_t n = PyTuple_Size(rows);
	struct perseus_measurement *measurements = binding_measurements(rows, n);
	if (measurements == NULL || !parse_settings(blocking_power_w, merge, &settings)) {
		binding_free(measurements);
		Py_DECREF(rows);
		return NULL;
	}
	struct perseus_profile *profile = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_profile_new(measurements, (size_t)n, &settings.profile, &profile, &err);
	Py_END_ALLOW_THREADS binding_free(settings.blocking_power_w);
	binding_free(measurements);
	Py_DECREF(rows);
	return status == PERSEUS_OK ? wrap_profile(profile) : binding_raise(module, &err);
}

static enum perseus_status
read_csv(const char *text, size_t length, const char *name, const struct perseus_profile_settings *settings,
		struct perseus_profile **out, struct perseus_error *err)
{
	struct perseus__measurements measurements;
	enum perseus_status status = perseus__profile_csv_decode(text, length, name, &measurements, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus_profile_new(measurements.rows, measurements.n_rows, settings, out, err);
	perseus__measurements_fini(&measurements);
	return status;
}

static PyObject *
profile_read_csv(PyObject *module, PyObject *args)
{
	const char *text;
	Py_ssize_t size;
	const char *name;
	PyObject *blocking_power_w;
	const char *merge;
	struct settings settings;
	if (!PyArg_ParseTuple(args, "y#sOs:profile_read_csv", &text, &size, &name, &blocking_power_w, &merge))
		return NULL;
	if (!parse_settings(blocking_power_w, merge, &settings))
		return NULL;
	struct perseus_profile *profile = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = read_csv(text, (size_t)size, name, &settings.profile, &profile, &err);
	Py_END_ALLOW_THREADS binding_free(settings.blocking_power_w);
	return status == PERSEUS_OK ? wrap_profile(profile) : binding_raise(module, &err);
}

static PyObject *
make_choice(const void *user, Py_ssize_t i)
{
	const struct perseus_choice *choice = (const struct perseus_choice *)user + i;
	return Py_BuildValue("iLLL", choice->frequency_mhz, (long long)choice->time_ns, (long long)choice->energy_nj,
			(long long)choice->effective_nj);
}

PyObject *
binding_class_tuple(const struct perseus_class *class_)
{
	return Py_BuildValue("isiINNN", class_->stage, class_->name, class_->n_measurements, class_->oddities,
			binding_tuple(class_->n_choices, make_choice, class_->choices),
			binding_tuple(class_->n_pareto, make_choice, class_->pareto),
			binding_tuple(class_->n_hull, make_choice, class_->hull));
}

static PyObject *
make_class(const void *user, Py_ssize_t i)
{
	return binding_class_tuple(perseus_profile_class(user, (int32_t)i));
}

static PyObject *
profile_classes(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_profile *profile = binding_unwrap(capsule, BINDING_PROFILE);
	return profile == NULL ? NULL : binding_tuple(perseus_profile_n_classes(profile), make_class, profile);
}

static PyObject *
make_blocking_power(const void *user, Py_ssize_t i)
{
	return PyLong_FromLongLong(perseus_profile_blocking_power_uw(user, (int32_t)i));
}

static PyObject *
profile_blocking_powers(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_profile *profile = binding_unwrap(capsule, BINDING_PROFILE);
	return profile == NULL ? NULL : binding_tuple(perseus_profile_n_stages(profile), make_blocking_power, profile);
}

static PyObject *
profile_fit(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int stage;
	const char *name;
	if (!PyArg_ParseTuple(args, "Ois:profile_fit", &capsule, &stage, &name))
		return NULL;
	const struct perseus_profile *profile = binding_unwrap(capsule, BINDING_PROFILE);
	if (profile == NULL)
		return NULL;
	const struct perseus_class *class_ = perseus_profile_find(profile, stage, name);
	if (class_ == NULL)
		return PyErr_Format(PyExc_KeyError, "the profile has no class '%s' of stage %d", name, stage);
	struct perseus_exp_fit fit;
	struct perseus_error err;
	if (perseus_class_fit(class_, &fit, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	return Py_BuildValue("ddddd", fit.a, fit.b, fit.c, fit.rmse_j, fit.max_error_j);
}

static PyObject *
profile_check(PyObject *module, PyObject *capsule)
{
	const struct perseus_profile *profile = binding_unwrap(capsule, BINDING_PROFILE);
	struct perseus_error err;
	if (profile == NULL)
		return NULL;
	if (perseus_profile_check(profile, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

PyMethodDef binding_profile_methods[] = {
	{"profile_new", profile_new, METH_VARARGS, NULL},
	{"profile_read_csv", profile_read_csv, METH_VARARGS, NULL},
	{"profile_classes", profile_classes, METH_O, NULL},
	{"profile_blocking_powers", profile_blocking_powers, METH_O, NULL},
	{"profile_fit", profile_fit, METH_VARARGS, NULL},
	{"profile_check", profile_check, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
