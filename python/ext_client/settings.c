/*
 * Settings of a client out of a dict: one table says which member is of which type.
 */
#include "settings.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* X(member) by type. */
#define TEXT_MAP(X) \
	X(server_url)   \
	X(token)        \
	X(job_name)     \
	X(job_key)      \
	X(target)       \
	X(granularity)  \
	X(devices)      \
	X(visible_gpus) \
	X(agent_socket)
#define NUMBER_MAP(X) \
	X(n_dp)           \
	X(n_pp)           \
	X(n_tp)           \
	X(n_cp)           \
	X(n_ep)           \
	X(rank)           \
	X(dp)             \
	X(pp)             \
	X(tp)             \
	X(cp)             \
	X(ep)             \
	X(gpu)            \
	X(max_profiling_steps)
#define REAL_MAP(X)    \
	X(target_slowdown) \
	X(target_power_w)  \
	X(blocking_power_w)

/* Borrowed; NULL without an exception for what is missing or None. */
static PyObject *
find(PyObject *dict, const char *name)
{
	PyObject *value = PyDict_GetItemString(dict, name);
	return value == Py_None ? NULL : value;
}

/* The bytes of a str, kept in `texts`; NULL with an exception set on failure. */
static const char *
keep_text(PyObject *texts, PyObject *value, const char *name)
{
	if (!PyUnicode_Check(value)) {
		PyErr_Format(PyExc_TypeError, "%s: expected a str", name);
		return NULL;
	}
	PyObject *bytes = PyUnicode_AsUTF8String(value);
	if (bytes == NULL)
		return NULL;
	const bool is_kept = PyList_Append(texts, bytes) == 0;
	char *text = PyBytes_AsString(bytes);
	Py_DECREF(bytes); /* the list has it */
	if (!is_kept)
		return NULL;
	if (strlen(text) != (size_t)PyBytes_Size(bytes)) {
		PyErr_Format(PyExc_ValueError, "%s: a text without null bytes is expected", name);
		return NULL;
	}
	return text;
}

static bool
read_text(struct binding_settings *out, PyObject *dict, const char *name, const char **member)
{
	PyObject *value = find(dict, name);
	if (value == NULL)
		return true;
	*member = keep_text(out->texts, value, name);
	return *member != NULL;
}

static bool
read_number(PyObject *dict, const char *name, int64_t minimum, int64_t maximum, int64_t *number)
{
	PyObject *value = find(dict, name);
	if (value == NULL)
		return true;
	const long long read = PyLong_AsLongLong(value);
	if (read == -1 && PyErr_Occurred() != NULL)
		return false;
	if (read < minimum || read > maximum) {
		PyErr_Format(PyExc_ValueError, "%s: %lld is out of range", name, read);
		return false;
	}
	*number = read;
	return true;
}

static bool
read_int32(PyObject *dict, const char *name, int32_t *member)
{
	int64_t number = *member;
	if (!read_number(dict, name, INT32_MIN, INT32_MAX, &number))
		return false;
	*member = (int32_t)number;
	return true;
}

static bool
read_real(PyObject *dict, const char *name, double *member)
{
	PyObject *value = find(dict, name);
	if (value == NULL)
		return true;
	*member = PyFloat_AsDouble(value);
	return PyErr_Occurred() == NULL;
}

static bool
read_control(struct binding_settings *out, PyObject *dict)
{
	const char *name = NULL;
	if (!read_text(out, dict, "control", &name))
		return false;
	if (name != NULL && !perseus_control_find(name, &out->settings.control)) {
		PyErr_Format(PyExc_ValueError, "control: '%.100s' is none of auto, agent, device, dry-run and none", name);
		return false;
	}
	return true;
}

/* A new array of `n` texts; NULL with an exception set on failure. */
static const char **
new_texts(Py_ssize_t n)
{
	const char **texts = PyMem_Malloc((size_t)(n > 0 ? n : 1) * sizeof(*texts));
	if (texts == NULL)
		PyErr_NoMemory();
	return texts;
}

static bool
read_order(struct binding_settings *out, PyObject *dict)
{
	PyObject *value = find(dict, "order");
	if (value == NULL)
		return true;
	PyObject *order = PySequence_Tuple(value);
	if (order == NULL)
		return false;
	const Py_ssize_t n = PyTuple_Size(order);
	out->order = new_texts(n);
	bool is_read = out->order != NULL && n <= INT32_MAX;
	for (Py_ssize_t i = 0; i < n && is_read; i++) {
		out->order[i] = keep_text(out->texts, PyTuple_GetItem(order, i), "order");
		is_read = out->order[i] != NULL;
	}
	Py_DECREF(order);
	out->settings.order = out->order;
	out->settings.n_order = (int32_t)n;
	return is_read;
}

static bool
read_pair(struct binding_settings *out, PyObject *pair, Py_ssize_t i)
{
	PyObject *fields = PySequence_Tuple(pair);
	if (fields == NULL)
		return false;
	const bool is_pair = PyTuple_Size(fields) == 2;
	if (is_pair) {
		out->keys[i] = keep_text(out->texts, PyTuple_GetItem(fields, 0), "fingerprint");
		out->values[i] = out->keys[i] == NULL ? NULL : keep_text(out->texts, PyTuple_GetItem(fields, 1), "fingerprint");
	} else {
		PyErr_SetString(PyExc_ValueError, "fingerprint: expected pairs of a key and a value");
	}
	Py_DECREF(fields);
	return is_pair && out->values[i] != NULL;
}

static bool
read_fingerprint(struct binding_settings *out, PyObject *dict)
{
	PyObject *value = find(dict, "fingerprint");
	if (value == NULL)
		return true;
	PyObject *pairs = PySequence_Tuple(value);
	if (pairs == NULL)
		return false;
	const Py_ssize_t n = PyTuple_Size(pairs);
	out->keys = new_texts(n);
	out->values = out->keys == NULL ? NULL : new_texts(n);
	bool is_read = out->values != NULL && n <= INT32_MAX;
	for (Py_ssize_t i = 0; i < n && is_read; i++)
		is_read = read_pair(out, PyTuple_GetItem(pairs, i), i);
	Py_DECREF(pairs);
	out->settings.fingerprint_keys = out->keys;
	out->settings.fingerprint_values = out->values;
	out->settings.n_fingerprint = (int32_t)n;
	return is_read;
}

/* A misspelled key would otherwise leave a default in place without a word. */
static bool
check_keys(PyObject *dict)
{
	static const char *const names[] = {
#define X(member) #member,
		TEXT_MAP(X) NUMBER_MAP(X) REAL_MAP(X)
#undef X
				"first_step",
		"control",
		"order",
		"fingerprint",
		"has_cuda",
	};
	PyObject *key;
	PyObject *value;
	Py_ssize_t position = 0;
	while (PyDict_Next(dict, &position, &key, &value)) {
		bool is_known = false;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !is_known; i++)
			is_known = PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, names[i]) == 0;
		if (!is_known) {
			PyErr_Format(PyExc_TypeError, "%R is no setting of a client", key);
			return false;
		}
	}
	return true;
}

static bool
read_members(struct binding_settings *out, PyObject *dict)
{
	struct perseus_client_settings *settings = &out->settings;
#define X(member)                                          \
	if (!read_text(out, dict, #member, &settings->member)) \
		return false;
	TEXT_MAP(X)
#undef X
#define X(member)                                      \
	if (!read_int32(dict, #member, &settings->member)) \
		return false;
	NUMBER_MAP(X)
#undef X
#define X(member)                                     \
	if (!read_real(dict, #member, &settings->member)) \
		return false;
	REAL_MAP(X)
#undef X
	if (!read_number(dict, "first_step", 0, INT64_MAX, &settings->first_step))
		return false;
	int64_t has_cuda = 0;
	if (!read_number(dict, "has_cuda", 0, 1, &has_cuda))
		return false;
	settings->has_cuda = has_cuda != 0;
	return true;
}

bool
binding_settings_init(struct binding_settings *out, PyObject *dict)
{
	*out = (struct binding_settings){.settings = perseus_client_settings_default(), .texts = PyList_New(0)};
	if (out->texts == NULL || !check_keys(dict))
		return false;
	return read_members(out, dict) && read_control(out, dict) && read_order(out, dict) && read_fingerprint(out, dict);
}

void
binding_settings_fini(struct binding_settings *settings)
{
	Py_XDECREF(settings->texts);
	PyMem_Free(settings->order);
	PyMem_Free(settings->keys);
	PyMem_Free(settings->values);
}
