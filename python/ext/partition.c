/*
 * Layers and partitions for Python: rows or a CSV in, stages out.
 */
#include "binding.h"

#include "format/profile_csv.h"

static void
destroy_layers(void *layers)
{
	perseus_layers_free(layers);
}

static void
destroy_partition(void *partition)
{
	perseus_partition_free(partition);
}

static PyObject *
layers_new(PyObject *module, PyObject *args)
{
	PyObject *iterable;
	const char *merge_name;
	enum perseus_merge merge;
	if (!PyArg_ParseTuple(args, "Os:layers_new", &iterable, &merge_name) || !binding_merge(merge_name, &merge))
		return NULL;
	PyObject *rows = binding_tuple_of_tuples(iterable);
	if (rows == NULL)
		return NULL;
	const Py_ssize_t n = PyTuple_Size(rows);
	struct perseus_measurement *measurements = binding_measurements(rows, n);
	if (measurements == NULL) {
		Py_DECREF(rows);
		return NULL;
	}
	struct perseus_layers *layers = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_layers_new(measurements, (size_t)n, merge, &layers, &err);
	Py_END_ALLOW_THREADS binding_free(measurements);
	Py_DECREF(rows);
	return status == PERSEUS_OK ? binding_wrap(layers, BINDING_LAYERS, destroy_layers, NULL)
								: binding_raise(module, &err);
}

static enum perseus_status
read_csv(const char *text, size_t length, const char *name, enum perseus_merge merge, struct perseus_layers **out,
		struct perseus_error *err)
{
	struct perseus__measurements measurements;
	enum perseus_status status = perseus__layer_csv_decode(text, length, name, &measurements, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus_layers_new(measurements.rows, measurements.n_rows, merge, out, err);
	perseus__measurements_fini(&measurements);
	return status;
}

static PyObject *
layers_read_csv(PyObject *module, PyObject *args)
{
	const char *text;
	Py_ssize_t size;
	const char *name;
	const char *merge_name;
	enum perseus_merge merge;
	if (!PyArg_ParseTuple(args, "y#ss:layers_read_csv", &text, &size, &name, &merge_name)
			|| !binding_merge(merge_name, &merge))
		return NULL;
	struct perseus_layers *layers = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = read_csv(text, (size_t)size, name, merge, &layers, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? binding_wrap(layers, BINDING_LAYERS, destroy_layers, NULL)
													 : binding_raise(module, &err);
}

/* (n_layers, has_energy) */
static PyObject *
layers_shape(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_layers *layers = binding_unwrap(capsule, BINDING_LAYERS);
	if (layers == NULL)
		return NULL;
	return Py_BuildValue("iN", (int)perseus_layers_count(layers), PyBool_FromLong(perseus_layers_have_energy(layers)));
}

/* Settings of a partition and the arrays behind them. */
struct settings {
	struct perseus_partition_settings partition;
	double *blocking_power_w;
	int32_t *boundaries;
};

static void
settings_fini(struct settings *settings)
{
	binding_free(settings->blocking_power_w);
	binding_free(settings->boundaries);
}

/* (objective, n_stages, limit_ns, blocking_power_w, boundaries); of the last the length alone is checked here. */
static bool
parse_settings(PyObject *args, struct settings *settings)
{
	int objective;
	int n_stages;
	long long limit_ns;
	PyObject *powers;
	PyObject *boundaries;
	*settings = (struct settings){.partition = perseus_partition_settings_default()};
	if (!PyArg_ParseTuple(
				args, "iiLOO;settings of a partition", &objective, &n_stages, &limit_ns, &powers, &boundaries))
		return false;
	Py_ssize_t n_powers = 0;
	Py_ssize_t n_boundaries = 0;
	settings->blocking_power_w = binding_double_array(powers, &n_powers);
	settings->boundaries = settings->blocking_power_w ? binding_int32_array(boundaries, &n_boundaries) : NULL;
	if (settings->boundaries == NULL)
		goto fail;
	if (objective < 0 || objective >= PERSEUS_N_PARTITION_OBJECTIVES) {
		PyErr_Format(PyExc_ValueError, "no objective has number %d", objective);
		goto fail;
	}
	if (n_powers > PERSEUS_MAX_STAGES) {
		PyErr_Format(PyExc_ValueError, "%zd blocking powers, expected one or one per stage", n_powers);
		goto fail;
	}
	if (objective == PERSEUS_PARTITION_GIVEN && n_boundaries != (Py_ssize_t)n_stages + 1) {
		PyErr_Format(PyExc_ValueError, "%zd boundaries for %d stages", n_boundaries, n_stages);
		goto fail;
	}
	settings->partition.objective = (enum perseus_partition_objective)objective;
	settings->partition.n_stages = n_stages;
	settings->partition.limit_ns = limit_ns;
	settings->partition.blocking_power_w = settings->blocking_power_w;
	settings->partition.n_blocking_power = (int32_t)n_powers;
	settings->partition.boundaries = settings->boundaries;
	return true;
fail:
	settings_fini(settings);
	return false;
}

static PyObject *
partition_new(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *given;
	struct settings settings;
	if (!PyArg_ParseTuple(args, "OO!:partition_new", &capsule, &PyTuple_Type, &given))
		return NULL;
	const struct perseus_layers *layers = binding_unwrap(capsule, BINDING_LAYERS);
	if (layers == NULL || !parse_settings(given, &settings))
		return NULL;
	struct perseus_partition *partition = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_partition_new(layers, &settings.partition, &partition, &err);
	Py_END_ALLOW_THREADS settings_fini(&settings);
	return status == PERSEUS_OK ? binding_wrap(partition, BINDING_PARTITION, destroy_partition, NULL)
								: binding_raise(module, &err);
}

static PyObject *
partition_check(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *layers_capsule;
	PyObject *given;
	struct settings settings;
	if (!PyArg_ParseTuple(args, "OOO!:partition_check", &capsule, &layers_capsule, &PyTuple_Type, &given))
		return NULL;
	const struct perseus_partition *partition = binding_unwrap(capsule, BINDING_PARTITION);
	const struct perseus_layers *layers = partition ? binding_unwrap(layers_capsule, BINDING_LAYERS) : NULL;
	if (layers == NULL || !parse_settings(given, &settings))
		return NULL;
	struct perseus_error err;
	const enum perseus_status status = perseus_partition_check(partition, layers, &settings.partition, &err);
	settings_fini(&settings);
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

static PyObject *
make_row(const void *user, Py_ssize_t i)
{
	const struct perseus_measurement *row = (const struct perseus_measurement *)user + i;
	return Py_BuildValue(
			"isidd", (int)row->stage, row->instruction, (int)row->frequency_mhz, row->time_s, row->energy_j);
}

/* (boundaries, forward_ns, cycle_ns, imbalance, bottleneck_ns, limit_ns, effective_nj or None, rows) */
static PyObject *
partition_summary(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_partition *partition = binding_unwrap(capsule, BINDING_PARTITION);
	if (partition == NULL)
		return NULL;
	PyObject *effective = Py_None;
	if (partition->has_effective)
		effective = PyLong_FromLongLong(partition->effective_nj);
	else
		Py_INCREF(effective);
	return Py_BuildValue("NNNdLLNN", binding_int32_tuple(partition->boundaries, (Py_ssize_t)partition->n_stages + 1),
			binding_int64_tuple(partition->forward_ns, partition->n_stages),
			binding_int64_tuple(partition->cycle_ns, partition->n_stages), partition->imbalance,
			(long long)partition->bottleneck_ns, (long long)partition->limit_ns, effective,
			binding_tuple((Py_ssize_t)partition->n_rows, make_row, partition->rows));
}

PyMethodDef binding_partition_methods[] = {
	{"layers_new", layers_new, METH_VARARGS, NULL},
	{"layers_read_csv", layers_read_csv, METH_VARARGS, NULL},
	{"layers_shape", layers_shape, METH_O, NULL},
	{"partition_new", partition_new, METH_VARARGS, NULL},
	{"partition_check", partition_check, METH_VARARGS, NULL},
	{"partition_summary", partition_summary, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
