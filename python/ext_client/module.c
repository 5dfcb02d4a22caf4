/*
 * The extension module perseus._client: one type over libperseus-client. Limited API of Python 3.9, as its sibling in
 * ../ext; apart from it, as it needs libcurl and jansson. The class that people use is in ../perseus/client.py.
 *
 * begin and end are called for every instruction: their arguments are read by hand, and the interpreter lock is kept.
 */
#include "settings.h"

#include <stdint.h>
#include <string.h>

struct client_object {
	PyObject_HEAD                          /* */
			struct perseus_client *client; /* NULL once closed */
	PyObject *log;                         /* called with a line by the client's thread; NULL for none */
};

/* Kinds that an order spells by one letter. */
static bool
kind_of_letter(Py_UCS4 letter, enum perseus_kind *kind)
{
	switch (letter) {
	case 'F':
		*kind = PERSEUS_KIND_FORWARD;
		return true;
	case 'B':
		*kind = PERSEUS_KIND_BACKWARD;
		return true;
	case 'I':
		*kind = PERSEUS_KIND_INPUT;
		return true;
	case 'W':
		*kind = PERSEUS_KIND_WEIGHT;
		return true;
	case 'R':
		*kind = PERSEUS_KIND_RECOMPUTE;
		return true;
	case 'O':
		*kind = PERSEUS_KIND_OVERLAP;
		return true;
	default:
		return false;
	}
}

static bool
read_kind(PyObject *name, enum perseus_kind *kind)
{
	if (!PyUnicode_Check(name)) {
		PyErr_SetString(PyExc_TypeError, "kind: expected a str such as 'F' or 'forward'");
		return false;
	}
	if (PyUnicode_GetLength(name) == 1 && kind_of_letter(PyUnicode_ReadChar(name, 0), kind))
		return true;
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS_KIND_MAP(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
			*kind = (enum perseus_kind)i;
			return true;
		}
	}
	PyErr_Format(PyExc_ValueError, "kind: %R is no kind of instruction", name);
	return false;
}

static bool
read_index(PyObject *value, int32_t *index)
{
	const long read = PyLong_AsLong(value);
	if (read == -1 && PyErr_Occurred() != NULL)
		return false;
	if (read < -1 || read > INT32_MAX) {
		PyErr_Format(PyExc_ValueError, "%ld is no stage and no microbatch", read);
		return false;
	}
	*index = (int32_t)read;
	return true;
}

static PyObject *
client_begin(PyObject *self, PyObject *args)
{
	if (PyTuple_Size(args) != 3) {
		PyErr_SetString(PyExc_TypeError, "begin() takes kind, stage and microbatch");
		return NULL;
	}
	enum perseus_kind kind;
	int32_t stage;
	int32_t microbatch;
	if (!read_kind(PyTuple_GetItem(args, 0), &kind) || !read_index(PyTuple_GetItem(args, 1), &stage)
			|| !read_index(PyTuple_GetItem(args, 2), &microbatch))
		return NULL;
	perseus_client_begin(((struct client_object *)self)->client, kind, stage, microbatch);
	Py_RETURN_NONE;
}

static PyObject *
client_end(PyObject *self, PyObject *Py_UNUSED(none))
{
	perseus_client_end(((struct client_object *)self)->client);
	Py_RETURN_NONE;
}

static PyObject *
client_step_begin(PyObject *self, PyObject *Py_UNUSED(none))
{
	perseus_client_step_begin(((struct client_object *)self)->client);
	Py_RETURN_NONE;
}

static PyObject *
client_step_end(PyObject *self, PyObject *Py_UNUSED(none))
{
	perseus_client_step_end(((struct client_object *)self)->client);
	Py_RETURN_NONE;
}

static PyObject *
client_set_stream(PyObject *self, PyObject *stream)
{
	void *pointer = PyLong_AsVoidPtr(stream);
	if (pointer == NULL && PyErr_Occurred() != NULL)
		return NULL;
	perseus_client_set_stream(((struct client_object *)self)->client, pointer);
	Py_RETURN_NONE;
}

/* The client's thread takes the interpreter lock for a log line, so nobody who waits for it may hold that. */
static void
close_client(struct client_object *self)
{
	struct perseus_client *client = self->client;
	self->client = NULL;
	if (client == NULL)
		return;
	Py_BEGIN_ALLOW_THREADS perseus_client_close(client);
	Py_END_ALLOW_THREADS
}

static PyObject *
client_close(PyObject *self, PyObject *Py_UNUSED(none))
{
	close_client((struct client_object *)self);
	Py_RETURN_NONE;
}

/* Adds a value to a dict and takes it; false with an exception set, also where `value` is NULL. */
static bool
put(PyObject *dict, const char *name, PyObject *value)
{
	const bool is_put = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
	Py_XDECREF(value);
	return is_put;
}

static PyObject *
text(const char *bytes)
{
	return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)strlen(bytes), "backslashreplace");
}

#define INFO_TEXT_MAP(X) \
	X(phase)             \
	X(job)               \
	X(message)
#define INFO_BOOL_MAP(X) \
	X(is_registered)     \
	X(is_following)
#define INFO_NUMBER_MAP(X) \
	X(revision)            \
	X(n_steps)             \
	X(n_followed)          \
	X(n_acknowledged)      \
	X(n_unsent)            \
	X(n_dropped)           \
	X(n_lost)              \
	X(n_clocks_set)        \
	X(n_clocks_skipped)    \
	X(n_clocks_refused)    \
	X(frequency_mhz)

static bool
put_info(PyObject *dict, const struct perseus_client_info *info)
{
	bool is_put = put(dict, "control", text(perseus_control_name(info->control)))
			&& put(dict, "switch_latency_s", PyFloat_FromDouble(info->switch_latency_s));
#define X(member) is_put = is_put && put(dict, #member, text(info->member));
	INFO_TEXT_MAP(X)
#undef X
#define X(member) is_put = is_put && put(dict, #member, PyBool_FromLong(info->member));
	INFO_BOOL_MAP(X)
#undef X
#define X(member) is_put = is_put && put(dict, #member, PyLong_FromLongLong(info->member));
	INFO_NUMBER_MAP(X)
#undef X
	return is_put;
}

/* The members of struct perseus_client_info by name; None once closed. */
static PyObject *
client_info(PyObject *self, PyObject *Py_UNUSED(none))
{
	struct perseus_client *client = ((struct client_object *)self)->client;
	if (client == NULL)
		Py_RETURN_NONE;
	struct perseus_client_info info;
	Py_BEGIN_ALLOW_THREADS perseus_client_info(client, &info);
	Py_END_ALLOW_THREADS PyObject *dict = PyDict_New();
	if (dict != NULL && !put_info(dict, &info))
		Py_CLEAR(dict);
	return dict;
}

/* On the client's thread. What the callable raises is shown as what cannot be raised anywhere. */
static void
log_line(void *user, const char *line)
{
	struct client_object *self = user;
	const PyGILState_STATE state = PyGILState_Ensure();
	PyObject *decoded = text(line);
	PyObject *result = decoded == NULL ? NULL : PyObject_CallFunctionObjArgs(self->log, decoded, NULL);
	if (result == NULL)
		PyErr_WriteUnraisable(self->log);
	Py_XDECREF(result);
	Py_XDECREF(decoded);
	PyGILState_Release(state);
}

/* Sets the exception of the package that belongs to `err`; always -1. */
static int
raise(const struct perseus_error *err)
{
	if (err->status == PERSEUS_NO_MEMORY) {
		PyErr_NoMemory();
		return -1;
	}
	PyObject *package = PyImport_ImportModule("perseus._perseus");
	PyObject *type = package == NULL
			? NULL
			: PyObject_GetAttrString(package, err->status == PERSEUS_INVALID ? "InvalidError" : "PerseusError");
	if (type != NULL)
		PyErr_SetString(type, err->message);
	Py_XDECREF(type);
	Py_XDECREF(package);
	return -1;
}

/* Client(settings, log=None): settings as binding_settings_init reads them. */
static int
client_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
	struct client_object *self = (struct client_object *)object;
	PyObject *dict;
	PyObject *log = Py_None;
	if (kwargs != NULL && PyDict_Size(kwargs) > 0) {
		PyErr_SetString(PyExc_TypeError, "Client() takes no keyword arguments");
		return -1;
	}
	if (!PyArg_ParseTuple(args, "O!|O:Client", &PyDict_Type, &dict, &log))
		return -1;
	if (self->client != NULL) {
		PyErr_SetString(PyExc_TypeError, "the client is open already");
		return -1;
	}
	struct binding_settings settings;
	struct perseus_error err;
	enum perseus_status status = PERSEUS_INVALID;
	const bool is_read = binding_settings_init(&settings, dict);
	if (is_read) {
		if (log != Py_None) {
			Py_INCREF(log);
			self->log = log;
			settings.settings.log = log_line;
			settings.settings.user = self;
		}
		Py_BEGIN_ALLOW_THREADS status = perseus_client_open(&settings.settings, &self->client, &err);
		Py_END_ALLOW_THREADS
	}
	binding_settings_fini(&settings);
	if (!is_read)
		return -1;
	return status == PERSEUS_OK ? 0 : raise(&err);
}

/* Not visited by the collector: the callable is a function of the package, which knows no client. */
static void
client_dealloc(PyObject *object)
{
	struct client_object *self = (struct client_object *)object;
	PyTypeObject *type = Py_TYPE(object);
	close_client(self);
	Py_CLEAR(self->log);
	freefunc release = (freefunc)(uintptr_t)PyType_GetSlot(type, Py_tp_free);
	release(object);
	Py_DECREF(type);
}

static PyMethodDef client_methods[] = {
	{"step_begin", client_step_begin, METH_NOARGS, NULL},
	{"begin", client_begin, METH_VARARGS, NULL},
	{"end", client_end, METH_NOARGS, NULL},
	{"step_end", client_step_end, METH_NOARGS, NULL},
	{"set_stream", client_set_stream, METH_O, NULL},
	{"close", client_close, METH_NOARGS, NULL},
	{"read_info", client_info, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

/* ISO C has no conversion between pointers to functions and to objects; Python's slots need one, as POSIX allows. */
static PyType_Slot client_slots[] = {
	{Py_tp_init, (void *)(uintptr_t)client_init},
	{Py_tp_new, (void *)(uintptr_t)PyType_GenericNew},
	{Py_tp_dealloc, (void *)(uintptr_t)client_dealloc},
	{Py_tp_methods, client_methods},
	{0, NULL},
};

static PyType_Spec client_spec = {
	.name = "perseus._client.Client",
	.basicsize = sizeof(struct client_object),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	.slots = client_slots,
};

static int
module_exec(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&client_spec);
	if (type == NULL)
		return -1;
	if (PyModule_AddObject(module, "Client", type) < 0) {
		Py_DECREF(type);
		return -1;
	}
	return 0;
}

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, (void *)(uintptr_t)module_exec},
	{0, NULL},
};

static struct PyModuleDef module_def = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "perseus._client",
	.m_doc = "libperseus-client. Use perseus.client.",
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__client(void);

PyMODINIT_FUNC
PyInit__client(void)
{
	return PyModuleDef_Init(&module_def);
}
