/*
 * How others choose clocks, for Python: families and plans, made without the interpreter lock.
 */
#include "binding.h"

static void
destroy_family(void *family)
{
	perseus_baseline_family_free(family);
}

static void
destroy_plan(void *plan)
{
	perseus_plan_free(plan);
}

/* A member's plan belongs to the family, which its capsule keeps alive. */
static void
leave_plan(void *Py_UNUSED(plan))
{
}

/* A family and the capsule that owns it. */
struct owned_family {
	const struct perseus_baseline_family *family;
	PyObject *capsule;
};

static PyObject *
make_member(const void *user, Py_ssize_t i)
{
	const struct owned_family *owned = user;
	const struct perseus_baseline_member *member = &owned->family->members[i];
	PyObject *plan = binding_wrap(member->plan, BINDING_PLAN, leave_plan, owned->capsule);
	return plan == NULL ? NULL : Py_BuildValue("dN", member->knob, plan);
}

/* ((knob, plan), ...) */
static PyObject *
baseline_family(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int baseline;
	if (!PyArg_ParseTuple(args, "Oi:baseline_family", &capsule, &baseline))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	struct perseus_baseline_family *family = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status =
			perseus_baseline_family_new(frontier, (enum perseus_baseline)baseline, &family, &err);
	Py_END_ALLOW_THREADS if (status != PERSEUS_OK) return binding_raise(module, &err);
	struct owned_family owned = {family, binding_wrap(family, BINDING_FAMILY, destroy_family, NULL)};
	if (owned.capsule == NULL)
		return NULL;
	PyObject *members = binding_tuple(family->n_members, make_member, &owned);
	Py_DECREF(owned.capsule);
	return members;
}

/* The best plan for the deadline, or with a knob what comes of that. */
static PyObject *
baseline_plan(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int baseline;
	long long deadline_ns;
	PyObject *knob;
	if (!PyArg_ParseTuple(args, "OiLO:baseline_plan", &capsule, &baseline, &deadline_ns, &knob))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	const double at = knob == Py_None ? 0 : PyFloat_AsDouble(knob);
	if (frontier == NULL || PyErr_Occurred() != NULL)
		return NULL;
	struct perseus_plan *plan = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = knob == Py_None
			? perseus_baseline_plan(frontier, (enum perseus_baseline)baseline, deadline_ns, &plan, &err)
			: perseus_baseline_plan_at(frontier, (enum perseus_baseline)baseline, at, deadline_ns, &plan, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? binding_wrap(plan, BINDING_PLAN, destroy_plan, NULL)
													 : binding_raise(module, &err);
}

PyMethodDef binding_baseline_methods[] = {
	{"baseline_family", baseline_family, METH_VARARGS, NULL},
	{"baseline_plan", baseline_plan, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
