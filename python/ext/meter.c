/*
 * The meter for Python: the devices of this machine and windows over them. Calls into drivers run without the
 * interpreter lock.
 */
#include "binding.h"

#include "base/memory.h"

#include <perseus/meter.h>

#include <string.h>
#include <unistd.h>

/* A meter, its devices, and the process that it belongs to: after a fork the child has no thread of it. */
struct open_meter {
	struct perseus_node *node;
	struct perseus_meter *meter;
	pid_t pid;
};

/* Another process leaves it alone: what it would wait for is not there, and the driver's library is not its own. */
static void
destroy_meter(void *object)
{
	struct open_meter *open = object;
	if (open->pid == getpid()) {
		Py_BEGIN_ALLOW_THREADS perseus_meter_free(open->meter);
		perseus_node_close(open->node);
		Py_END_ALLOW_THREADS
	}
	perseus__free(open);
}

static enum perseus_status
open_devices(struct open_meter *open, const char *spec, const struct perseus_node_settings *node_settings,
		const struct perseus_meter_settings *meter_settings, struct perseus_error *err)
{
	const enum perseus_status status = perseus_node_open(spec, node_settings, &open->node, err);
	return status == PERSEUS_OK ? perseus_meter_new(open->node, meter_settings, &open->meter, err) : status;
}

static PyObject *
meter_open(PyObject *module, PyObject *args)
{
	const char *spec;
	struct perseus_node_settings node_settings = {0};
	struct perseus_meter_settings meter_settings = {0};
	long long sample_period_ns;
	if (!PyArg_ParseTuple(args, "szzL:meter_open", &spec, &node_settings.visible_gpus, &node_settings.rapl_root,
				&sample_period_ns))
		return NULL;
	if (sample_period_ns < 1000000) {
		PyErr_SetString(PyExc_ValueError, "the sample period must be 1 ms at least");
		return NULL;
	}
	meter_settings.sample_period_ns = sample_period_ns;
	struct open_meter *open = binding_new_array(1, sizeof(*open));
	if (open == NULL)
		return NULL;
	open->pid = getpid();
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = open_devices(open, spec, &node_settings, &meter_settings, &err);
	Py_END_ALLOW_THREADS if (status == PERSEUS_OK) return binding_wrap(open, BINDING_METER, destroy_meter, NULL);
	destroy_meter(open);
	return binding_raise(module, &err);
}

static PyObject *
text(const char *bytes)
{
	return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)strlen(bytes), "backslashreplace");
}

static PyObject *
make_device(const void *user, Py_ssize_t i)
{
	const struct perseus_device_info *info = perseus_node_device(user, (int32_t)i);
	return Py_BuildValue("siNNNNN", perseus_device_kind_name(info->kind), (int)info->index, text(info->name),
			text(info->uuid), text(info->backend), text(info->note), PyBool_FromLong(info->is_simulated));
}

/* ((kind, index, name, uuid, backend, note, is_simulated), ...) */
static PyObject *
meter_devices(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct open_meter *open = binding_unwrap(capsule, BINDING_METER);
	return open == NULL ? NULL : binding_tuple(perseus_node_n_devices(open->node), make_device, open->node);
}

static PyObject *
make_note(const void *user, Py_ssize_t i)
{
	return text(perseus_node_note(user, (int32_t)i));
}

static PyObject *
meter_notes(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct open_meter *open = binding_unwrap(capsule, BINDING_METER);
	return open == NULL ? NULL : binding_tuple(perseus_node_n_notes(open->node), make_note, open->node);
}

static PyObject *
meter_begin(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	const char *name;
	if (!PyArg_ParseTuple(args, "Os:meter_begin", &capsule, &name))
		return NULL;
	const struct open_meter *open = binding_unwrap(capsule, BINDING_METER);
	if (open == NULL)
		return NULL;
	int64_t window = 0;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_meter_begin(open->meter, name, &window, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? PyLong_FromLongLong(window) : binding_raise(module, &err);
}

static PyObject *
optional(bool is_known, double value)
{
	if (!is_known)
		Py_RETURN_NONE;
	return PyFloat_FromDouble(value);
}

static PyObject *
make_reading(const void *user, Py_ssize_t i)
{
	const struct perseus_reading *reading = (const struct perseus_reading *)user + i;
	const bool is_measured = reading->method != PERSEUS_METHOD_NONE;
	return Py_BuildValue("sNNNNN", perseus_method_name(reading->method), optional(is_measured, reading->energy_j),
			optional(is_measured, reading->error_j), optional(reading->has_average_power, reading->average_power_w),
			optional(reading->has_peak_power, reading->peak_power_w), text(reading->reason));
}

/* (time_ns, depth, ((method, energy_j, error_j, average_power_w, peak_power_w, reason), ...)) */
static PyObject *
meter_end(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	long long window;
	if (!PyArg_ParseTuple(args, "OL:meter_end", &capsule, &window))
		return NULL;
	const struct open_meter *open = binding_unwrap(capsule, BINDING_METER);
	if (open == NULL)
		return NULL;
	struct perseus_reading *readings =
			binding_new_array(perseus_node_n_devices(open->node), sizeof(struct perseus_reading));
	if (readings == NULL)
		return NULL;
	struct perseus_window_result result;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_meter_end(open->meter, window, &result, readings, &err);
	Py_END_ALLOW_THREADS PyObject *tuple = status == PERSEUS_OK
			? Py_BuildValue("LiN", (long long)result.time_ns, (int)result.depth,
					  binding_tuple(result.n_readings, make_reading, readings))
			: binding_raise(module, &err);
	binding_free(readings);
	return tuple;
}

PyMethodDef binding_meter_methods[] = {
	{"meter_open", meter_open, METH_VARARGS, NULL},
	{"meter_devices", meter_devices, METH_O, NULL},
	{"meter_notes", meter_notes, METH_O, NULL},
	{"meter_begin", meter_begin, METH_VARARGS, NULL},
	{"meter_end", meter_end, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
