/*
 * Simulated GPUs for Python: work in real time, what slows it, and what a perfect meter would say. Nothing waits with
 * the interpreter lock held.
 */
#include "binding.h"

#include "device/sim.h"

#include <math.h>

#include <perseus/device.h>

static void
destroy_node(void *object)
{
	perseus_node_close(object);
}

/* The node in `capsule`, which has a device `device`; NULL with an exception set otherwise. */
static const struct perseus_node *
unwrap(PyObject *capsule, int device)
{
	const struct perseus_node *node = binding_unwrap(capsule, BINDING_NODE);
	if (node == NULL)
		return NULL;
	if (device >= 0 && device < perseus_node_n_devices(node))
		return node;
	PyErr_Format(PyExc_IndexError, "there is no device %d, only %d of them", device, perseus_node_n_devices(node));
	return NULL;
}

static PyObject *
sim_open(PyObject *module, PyObject *args)
{
	const char *spec;
	const char *visible_gpus;
	if (!PyArg_ParseTuple(args, "sz:sim_open", &spec, &visible_gpus))
		return NULL;
	const struct perseus_node_settings settings = {.visible_gpus = visible_gpus};
	struct perseus_node *node = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_node_open(spec, &settings, &node, &err);
	Py_END_ALLOW_THREADS if (status == PERSEUS_OK) return binding_wrap(node, BINDING_NODE, destroy_node, NULL);
	return binding_raise(module, &err);
}

static PyObject *
sim_n_devices(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_node *node = binding_unwrap(capsule, BINDING_NODE);
	return node == NULL ? NULL : PyLong_FromLong(perseus_node_n_devices(node));
}

static PyObject *
sim_start(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	double load;
	long long work_ns;
	if (!PyArg_ParseTuple(args, "OidL:sim_start", &capsule, &device, &load, &work_ns))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	struct perseus_error err;
	if (node == NULL)
		return NULL;
	if (perseus__sim_start(node, device, load, work_ns, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

static PyObject *
sim_wait(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	if (!PyArg_ParseTuple(args, "Oi:sim_wait", &capsule, &device))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	if (node == NULL)
		return NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus__sim_wait(node, device, &err);
	Py_END_ALLOW_THREADS if (status != PERSEUS_OK) return binding_raise(module, &err);
	Py_RETURN_NONE;
}

/* (is_done, end_ns, now_ns) */
static PyObject *
sim_work_end(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	if (!PyArg_ParseTuple(args, "Oi:sim_work_end", &capsule, &device))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	struct perseus_error err;
	bool is_done = false;
	int64_t end_ns = 0;
	if (node == NULL)
		return NULL;
	if (perseus__sim_work_end(node, device, &is_done, &end_ns, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	return Py_BuildValue("NLL", PyBool_FromLong(is_done), (long long)end_ns, (long long)perseus_node_now_ns(node));
}

/* BLOCKING as nan, as Python has no constant for it. */
static PyObject *
sim_load(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	double load;
	if (!PyArg_ParseTuple(args, "Oid:sim_load", &capsule, &device, &load))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	struct perseus_error err;
	if (node == NULL)
		return NULL;
	if (perseus__sim_load(node, device, isnan(load) ? PERSEUS__SIM_BLOCKING : load, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

static PyObject *
sim_slow(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	double slowness;
	if (!PyArg_ParseTuple(args, "Oid:sim_slow", &capsule, &device, &slowness))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	struct perseus_error err;
	if (node == NULL)
		return NULL;
	if (perseus__sim_slow(node, device, slowness, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

/* (true_energy_nj, counter_uj, sm_clock_mhz, locked_low_mhz, locked_high_mhz) */
static PyObject *
sim_read(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	if (!PyArg_ParseTuple(args, "Oi:sim_read", &capsule, &device))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	struct perseus_error err;
	int64_t energy_nj = 0;
	int64_t counter_uj = 0;
	int64_t clock_mhz = 0;
	int64_t low_mhz = 0;
	int64_t high_mhz = 0;
	if (node == NULL)
		return NULL;
	if (perseus__sim_true_energy(node, device, &energy_nj, &err) != PERSEUS_OK
			|| perseus_device_read(node, device, PERSEUS_QUANTITY_ENERGY, &counter_uj, &err) != PERSEUS_OK
			|| perseus_device_read(node, device, PERSEUS_QUANTITY_SM_CLOCK, &clock_mhz, &err) != PERSEUS_OK
			|| perseus__sim_locked(node, device, PERSEUS_SETTING_SM_CLOCKS, &low_mhz, &high_mhz, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	return Py_BuildValue("LLLLL", (long long)energy_nj, (long long)counter_uj, (long long)clock_mhz, (long long)low_mhz,
			(long long)high_mhz);
}

static PyObject *
sim_clocks(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	if (!PyArg_ParseTuple(args, "Oi:sim_clocks", &capsule, &device))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	if (node == NULL)
		return NULL;
	struct perseus_error err;
	int32_t mhz[PERSEUS_MAX_CLOCKS];
	int32_t n = 0;
	if (perseus_device_clocks(node, device, PERSEUS_SETTING_SM_CLOCKS, mhz, &n, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	return binding_int32_tuple(mhz, n);
}

/* (time_ns, energy_nj) */
static PyObject *
sim_truth(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int device;
	int clock_mhz;
	double load;
	long long work_ns;
	if (!PyArg_ParseTuple(args, "OiidL:sim_truth", &capsule, &device, &clock_mhz, &load, &work_ns))
		return NULL;
	const struct perseus_node *node = unwrap(capsule, device);
	const struct perseus__sim_work work = {.clock_mhz = clock_mhz, .load = load, .work_ns = work_ns};
	struct perseus_error err;
	int64_t time_ns = 0;
	int64_t energy_nj = 0;
	if (node == NULL)
		return NULL;
	if (perseus__sim_truth(node, device, &work, &time_ns, &energy_nj, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	return Py_BuildValue("LL", (long long)time_ns, (long long)energy_nj);
}

PyMethodDef binding_simulated_methods[] = {
	{"sim_open", sim_open, METH_VARARGS, NULL},
	{"sim_n_devices", sim_n_devices, METH_O, NULL},
	{"sim_start", sim_start, METH_VARARGS, NULL},
	{"sim_wait", sim_wait, METH_VARARGS, NULL},
	{"sim_work_end", sim_work_end, METH_VARARGS, NULL},
	{"sim_load", sim_load, METH_VARARGS, NULL},
	{"sim_slow", sim_slow, METH_VARARGS, NULL},
	{"sim_read", sim_read, METH_VARARGS, NULL},
	{"sim_clocks", sim_clocks, METH_VARARGS, NULL},
	{"sim_truth", sim_truth, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
