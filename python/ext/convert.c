/*
 * Capsules, arrays and tuples: what crosses the border between C and Python.
 */
#include "binding.h"

#include "base/memory.h"

/* What a capsule holds beside the object itself. */
struct owner {
	void (*destroy)(void *);
	PyObject *keep; /* or NULL */
};

static void
capsule_destroy(PyObject *capsule)
{
	struct owner *owner = PyCapsule_GetContext(capsule);
	owner->destroy(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
	Py_XDECREF(owner->keep);
	binding_free(owner);
}

PyObject *
binding_wrap(void *object, const char *name, void (*destroy)(void *), PyObject *keep)
{
	struct owner *owner = binding_new_array(1, sizeof(*owner));
	if (owner == NULL) {
		destroy(object);
		return NULL;
	}
	PyObject *capsule = PyCapsule_New(object, name, NULL);
	if (capsule == NULL || PyCapsule_SetContext(capsule, owner) < 0) {
		Py_XDECREF(capsule);
		binding_free(owner);
		destroy(object);
		return NULL;
	}
	Py_XINCREF(keep);
	*owner = (struct owner){.destroy = destroy, .keep = keep};
	(void)PyCapsule_SetDestructor(capsule, capsule_destroy); /* fails only for what is not a capsule */
	return capsule;
}

void *
binding_unwrap(PyObject *capsule, const char *name)
{
	if (!PyCapsule_IsValid(capsule, name))
		return PyErr_Format(PyExc_TypeError, "expected a %s object", name);
	return PyCapsule_GetPointer(capsule, name);
}

void *
binding_new_array(Py_ssize_t n, size_t size)
{
	void *array = perseus__new_array(n > 0 ? (size_t)n : 1, size);
	return array != NULL ? array : PyErr_NoMemory();
}

void
binding_free(const void *array)
{
	perseus__free(array);
}

/* An array of elements of `size` bytes, each read by PyArg_Parse with `format` into its place. */
static void *
parse_array(PyObject *sequence, const char *format, size_t size, Py_ssize_t *n)
{
	PyObject *tuple = PySequence_Tuple(sequence);
	if (tuple == NULL)
		return NULL;
	*n = PyTuple_Size(tuple);
	char *array = binding_new_array(*n, size);
	for (Py_ssize_t i = 0; array != NULL && i < *n; i++) {
		if (!PyArg_Parse(PyTuple_GetItem(tuple, i), format, array + (size_t)i * size)) {
			binding_free(array);
			array = NULL;
		}
	}
	Py_DECREF(tuple);
	return array;
}

int64_t *
binding_int64_array(PyObject *sequence, Py_ssize_t *n)
{
	_Static_assert(sizeof(long long) == sizeof(int64_t), "format L reads a long long");
	return parse_array(sequence, "L", sizeof(int64_t), n);
}

int32_t *
binding_int32_array(PyObject *sequence, Py_ssize_t *n)
{
	_Static_assert(sizeof(int) == sizeof(int32_t), "format i reads an int");
	return parse_array(sequence, "i", sizeof(int32_t), n);
}

double *
binding_double_array(PyObject *sequence, Py_ssize_t *n)
{
	return parse_array(sequence, "d", sizeof(double), n);
}

PyObject *
binding_tuple(Py_ssize_t n, PyObject *(*make)(const void *user, Py_ssize_t i), const void *user)
{
	PyObject *tuple = PyTuple_New(n);
	for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
		PyObject *element = make(user, i);
		if (element == NULL || PyTuple_SetItem(tuple, i, element) < 0) {
			Py_DECREF(tuple);
			return NULL;
		}
	}
	return tuple;
}

static PyObject *
make_int64(const void *user, Py_ssize_t i)
{
	return PyLong_FromLongLong(((const int64_t *)user)[i]);
}

static PyObject *
make_int32(const void *user, Py_ssize_t i)
{
	return PyLong_FromLong(((const int32_t *)user)[i]);
}

static PyObject *
make_double(const void *user, Py_ssize_t i)
{
	return PyFloat_FromDouble(((const double *)user)[i]);
}

PyObject *
binding_int64_tuple(const int64_t *values, Py_ssize_t n)
{
	return binding_tuple(n, make_int64, values);
}

PyObject *
binding_int32_tuple(const int32_t *values, Py_ssize_t n)
{
	return binding_tuple(n, make_int32, values);
}

PyObject *
binding_double_tuple(const double *values, Py_ssize_t n)
{
	return binding_tuple(n, make_double, values);
}

PyObject *
binding_tuple_of_tuples(PyObject *iterable)
{
	PyObject *list = PySequence_List(iterable);
	if (list == NULL)
		return NULL;
	const Py_ssize_t n = PyList_Size(list);
	for (Py_ssize_t i = 0; i < n; i++) {
		PyObject *tuple = PySequence_Tuple(PyList_GetItem(list, i));
		if (tuple == NULL || PyList_SetItem(list, i, tuple) < 0) {
			Py_DECREF(list);
			return NULL;
		}
	}
	PyObject *result = PyList_AsTuple(list);
	Py_DECREF(list);
	return result;
}

PyObject *
binding_text(struct perseus__text *text)
{
	PyObject *string = text->failed
			? PyErr_NoMemory()
			: PyUnicode_DecodeUTF8(text->bytes == NULL ? "" : text->bytes, (Py_ssize_t)text->length, "replace");
	perseus__text_fini(text);
	return string;
}
