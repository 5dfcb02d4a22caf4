/*
 * Settings of a client out of what Python gave.
 */
#ifndef PERSEUS_PYTHON_CLIENT_SETTINGS_H
#define PERSEUS_PYTHON_CLIENT_SETTINGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include <perseus/client.h>

/* Settings, and the memory that their texts lie in. */
struct binding_settings {
	struct perseus_client_settings settings;
	PyObject *texts; /* a list of bytes objects */
	const char **order;
	const char **keys;
	const char **values;
};

/*
 * Reads a dict whose keys are the members of struct perseus_client_settings; what is missing or None stays as the
 * default has it. `order` is a sequence of str, `fingerprint` a sequence of pairs of str, `control` the text of one.
 * False with an exception set on failure; binding_settings_fini in any case.
 */
bool binding_settings_init(struct binding_settings *out, PyObject *dict);
void binding_settings_fini(struct binding_settings *settings);

#endif
