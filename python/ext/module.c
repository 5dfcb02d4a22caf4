/*
 * The extension module: its exceptions, its constants and the methods of the other files.
 */
#include "binding.h"

#include <string.h>

static const char *
status_name(enum perseus_status status)
{
	switch (status) {
#define X(name, exit_code, text) \
	case PERSEUS_##name:         \
		return #name;
		PERSEUS_STATUS_MAP(X)
#undef X
	}
	return "INTERNAL";
}

static PyObject *
exception_of(const struct binding_state *state, enum perseus_status status)
{
	switch (status) {
	case PERSEUS_INVALID:
		return state->invalid;
	case PERSEUS_INFEASIBLE:
		return state->infeasible;
	case PERSEUS_CANCELLED:
		return state->cancelled;
	case PERSEUS_NO_MEMORY:
		return PyExc_MemoryError;
	case PERSEUS_OK:
	case PERSEUS_DENIED:
	case PERSEUS_IO:
	case PERSEUS_UNSUPPORTED:
	case PERSEUS_BUSY:
	case PERSEUS_INTERNAL:
		return state->error;
	}
	return state->error;
}

PyObject *
binding_raise(PyObject *module, const struct perseus_error *err)
{
	const struct binding_state *state = PyModule_GetState(module);
	PyObject *type = exception_of(state, err->status);
	/* A message may quote bytes of a file that are not UTF-8. */
	PyObject *message = PyUnicode_DecodeUTF8(err->message, (Py_ssize_t)strlen(err->message), "backslashreplace");
	if (message == NULL)
		return NULL;
	PyObject *error = PyObject_CallFunctionObjArgs(type, message, NULL);
	Py_DECREF(message);
	if (error == NULL)
		return NULL;
	PyObject *status = PyUnicode_FromString(status_name(err->status));
	if (status != NULL && PyObject_SetAttrString(error, "status", status) == 0)
		PyErr_SetObject(type, error);
	Py_XDECREF(status);
	Py_DECREF(error);
	return NULL;
}

/* A new exception, added to the module under the last part of its name. Borrowed bases. */
static PyObject *
add_exception(PyObject *module, const char *name, const char *doc, PyObject *bases)
{
	PyObject *type = PyErr_NewExceptionWithDoc(name, doc, bases, NULL);
	if (type == NULL)
		return NULL;
	Py_INCREF(type);
	if (PyModule_AddObject(module, strrchr(name, '.') + 1, type) < 0) {
		Py_DECREF(type);
		Py_CLEAR(type);
	}
	return type;
}

static int
add_exceptions(PyObject *module)
{
	struct binding_state *state = PyModule_GetState(module);
	state->error = add_exception(module, "perseus.PerseusError",
			"Something that perseus could not do. `status` says what kind, e.g. 'INVALID'.", PyExc_Exception);
	if (state->error == NULL)
		return -1;
	PyObject *invalid_bases = PyTuple_Pack(2, state->error, PyExc_ValueError);
	if (invalid_bases == NULL)
		return -1;
	state->invalid = add_exception(module, "perseus.InvalidError",
			"The input is wrong; the message says where and what was expected.", invalid_bases);
	Py_DECREF(invalid_bases);
	state->infeasible = add_exception(module, "perseus.InfeasibleError",
			"No answer exists, e.g. for a deadline below the shortest iteration time.", state->error);
	state->cancelled = add_exception(module, "perseus.CancelledError", "The computation was stopped.", state->error);
	return state->invalid == NULL || state->infeasible == NULL || state->cancelled == NULL ? -1 : 0;
}

/* Adds a tuple of strings; `names` ends with NULL. */
static int
add_names(PyObject *module, const char *name, const char *const *names)
{
	PyObject *list = PyList_New(0);
	if (list == NULL)
		return -1;
	for (; *names != NULL; names++) {
		PyObject *text = PyUnicode_FromString(*names);
		const bool failed = text == NULL || PyList_Append(list, text) < 0;
		Py_XDECREF(text);
		if (failed) {
			Py_DECREF(list);
			return -1;
		}
	}
	PyObject *tuple = PyList_AsTuple(list);
	Py_DECREF(list);
	if (tuple == NULL)
		return -1;
	if (PyModule_AddObject(module, name, tuple) < 0) {
		Py_DECREF(tuple);
		return -1;
	}
	return 0;
}

static int
add_constants(PyObject *module)
{
	static const char *const kinds[] = {
#define X(name, text) text,
		PERSEUS_KIND_MAP(X)
#undef X
				NULL
	};
	static const char *const granularities[] = {
#define X(name, text) text,
		PERSEUS_GRANULARITY_MAP(X)
#undef X
				NULL
	};
	static const char *const allocation_rules[] = {
#define X(name, text) text,
		PERSEUS_ALLOCATION_RULE_MAP(X)
#undef X
				NULL
	};
	static const char *const pace_baselines[] = {
#define X(name, text) text,
		PERSEUS_PACE_BASELINE_MAP(X)
#undef X
				NULL
	};
	static const char *const causes[] = {
#define X(name, text) text,
		PERSEUS_STRAGGLER_CAUSE_MAP(X)
#undef X
				NULL
	};
	if (add_names(module, "ALLOCATION_RULES", allocation_rules) < 0)
		return -1;
	if (add_names(module, "PACE_BASELINES", pace_baselines) < 0 || add_names(module, "STRAGGLER_CAUSES", causes) < 0)
		return -1;
	static const char *const baselines[] = {
#define X(name, text) text,
		PERSEUS_BASELINE_MAP(X)
#undef X
				NULL
	};
	if (add_names(module, "BASELINES", baselines) < 0)
		return -1;
	if (add_names(module, "KINDS", kinds) < 0 || add_names(module, "GRANULARITIES", granularities) < 0)
		return -1;
	if (add_names(module, "SCHEDULES", perseus_schedule_names()) < 0)
		return -1;
	return PyModule_AddStringConstant(module, "VERSION", perseus_version());
}

static int
add_methods(PyObject *module)
{
	PyMethodDef *const tables[] = {binding_profile_methods, binding_schedule_methods, binding_frontier_methods,
		binding_plan_methods, binding_baseline_methods, binding_operating_methods, binding_allocate_methods,
		binding_pace_methods, binding_simulate_methods, binding_partition_methods, binding_document_methods,
		binding_meter_methods, binding_simulated_methods};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (PyModule_AddFunctions(module, tables[i]) < 0)
			return -1;
	}
	return 0;
}

static int
module_exec(PyObject *module)
{
	return add_exceptions(module) < 0 || add_constants(module) < 0 || add_methods(module) < 0 ? -1 : 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
	const struct binding_state *state = PyModule_GetState(module);
	if (state == NULL)
		return 0;
	Py_VISIT(state->error);
	Py_VISIT(state->invalid);
	Py_VISIT(state->infeasible);
	Py_VISIT(state->cancelled);
	return 0;
}

static int
module_clear(PyObject *module)
{
	struct binding_state *state = PyModule_GetState(module);
	if (state == NULL)
		return 0;
	Py_CLEAR(state->error);
	Py_CLEAR(state->invalid);
	Py_CLEAR(state->infeasible);
	Py_CLEAR(state->cancelled);
	return 0;
}

static void
module_free(void *module)
{
	(void)module_clear(module); /* always 0 */
}

/* ISO C has no conversion between pointers to functions and to objects; Python's slots need one, as POSIX allows. */
static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, (void *)(uintptr_t)module_exec},
	{0, NULL},
};

static struct PyModuleDef module_def = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "perseus._perseus",
	.m_doc = "Functions of libperseus over opaque objects. Use the classes of the package perseus.",
	.m_size = sizeof(struct binding_state),
	.m_slots = module_slots,
	.m_traverse = module_traverse,
	.m_clear = module_clear,
	.m_free = module_free,
};

PyMODINIT_FUNC PyInit__perseus(void);

PyMODINIT_FUNC
PyInit__perseus(void)
{
	return PyModuleDef_Init(&module_def);
}
