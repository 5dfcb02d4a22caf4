/*
 * Plans given as plain tuples, checked; plans as documents, written by the code that the command line uses.
 */
#include "binding.h"

#include "base/text.h"
#include "format/plan_json.h"
#include "format/zeus_tuples.h"
#include "plan/highest.h"

static struct perseus_step *
parse_steps(PyObject *rows, Py_ssize_t n)
{
	struct perseus_step *steps = binding_new_array(n, sizeof(*steps));
	for (Py_ssize_t i = 0; steps != NULL && i < n; i++) {
		long long start_ns;
		long long time_ns;
		long long energy_nj;
		if (!PyArg_ParseTuple(PyTuple_GetItem(rows, i), "iiLLL", &steps[i].frequency_mhz, &steps[i].choice, &start_ns,
					&time_ns, &energy_nj)) {
			binding_free(steps);
			return NULL;
		}
		steps[i].start_ns = start_ns;
		steps[i].time_ns = time_ns;
		steps[i].energy_nj = energy_nj;
	}
	return steps;
}

/* Reads what plan_summary writes; `*clock_changes` goes with binding_free. */
static bool
parse_summary(PyObject *tuple, struct perseus_plan *plan, int32_t **clock_changes)
{
	int granularity;
	PyObject *changes;
	long long value[6];
	if (!PyArg_ParseTuple(tuple, "LiLLLLLdddO", &value[0], &granularity, &value[1], &value[2], &value[3], &value[4],
				&value[5], &plan->lower_bound_j, &plan->gap, &plan->saving, &changes))
		return false;
	struct perseus_plan_settings settings;
	if (!binding_plan_settings(value[0], granularity, value[1], &settings))
		return false;
	plan->deadline_ns = settings.deadline_ns;
	plan->granularity = settings.granularity;
	plan->switch_latency_ns = settings.switch_latency_ns;
	plan->outcome = (struct perseus_outcome){.iteration_time_ns = value[2], .energy_nj = value[3]};
	plan->baseline = (struct perseus_outcome){.iteration_time_ns = value[4], .energy_nj = value[5]};
	Py_ssize_t n_ranks = 0;
	*clock_changes = binding_int32_array(changes, &n_ranks);
	if (*clock_changes == NULL)
		return false;
	plan->clock_changes = *clock_changes;
	plan->n_ranks = n_ranks > INT32_MAX ? -1 : (int32_t)n_ranks;
	return true;
}

static PyObject *
check_parsed(PyObject *module, const struct perseus_frontier *frontier, PyObject *summary, PyObject *rows)
{
	struct perseus_plan plan = {0};
	int32_t *clock_changes = NULL;
	const Py_ssize_t n = PyTuple_Size(rows);
	if (n > INT32_MAX)
		return PyErr_Format(PyExc_ValueError, "%zd steps", n);
	if (!parse_summary(summary, &plan, &clock_changes))
		return NULL;
	struct perseus_step *steps = parse_steps(rows, n);
	if (steps == NULL) {
		binding_free(clock_changes);
		return NULL;
	}
	plan.steps = steps;
	plan.n_instructions = (int32_t)n;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_plan_check(&plan, frontier, &err);
	Py_END_ALLOW_THREADS binding_free(steps);
	binding_free(clock_changes);
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

/* Checks a plan given as what plan_summary and plan_steps return. */
static PyObject *
plan_check(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *summary;
	PyObject *steps;
	if (!PyArg_ParseTuple(args, "OO!O:plan_check", &capsule, &PyTuple_Type, &summary, &steps))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	PyObject *rows = frontier == NULL ? NULL : binding_tuple_of_tuples(steps);
	if (rows == NULL)
		return NULL;
	PyObject *result = check_parsed(module, frontier, summary, rows);
	Py_DECREF(rows);
	return result;
}

/* The plan that has every instruction at its highest clock, at the deadline and latency of `plan`. */
static enum perseus_status
make_baseline(const struct perseus_frontier *frontier, const struct perseus_plan *plan, struct perseus_plan **out,
		struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = plan->deadline_ns;
	settings.switch_latency_ns = plan->switch_latency_ns;
	return perseus__plan_highest(frontier, &settings, out, err);
}

/* The text of `perseus plan --json`. */
static PyObject *
plan_json(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *plan_capsule;
	double solve_s;
	struct perseus__plan_document document = {0};
	if (!PyArg_ParseTuple(args, "OOiid:plan_json", &capsule, &plan_capsule, &document.gpus_per_stage,
				&document.n_pipelines, &solve_s))
		return NULL;
	if (document.gpus_per_stage < 1 || document.n_pipelines < 1) {
		PyErr_SetString(PyExc_ValueError, "gpus_per_stage and pipelines must be at least 1");
		return NULL;
	}
	document.frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	document.plan = document.frontier == NULL ? NULL : binding_plan_of(document.frontier, plan_capsule);
	if (document.plan == NULL)
		return NULL;
	struct perseus_plan *baseline = NULL;
	struct perseus__text text = perseus__text_init(BINDING_MAX_DOCUMENT_BYTES);
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = make_baseline(document.frontier, document.plan, &baseline, &err);
	document.baseline = baseline;
	if (status == PERSEUS_OK)
		perseus__plan_json(&text, &document, &solve_s);
	perseus_plan_free(baseline);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? binding_text(&text) : binding_raise(module, &err);
}

/* The text in which Zeus keeps the clocks of a pipeline. */
static PyObject *
plan_zeus(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *capsule;
	PyObject *plan_capsule;
	if (!PyArg_ParseTuple(args, "OO:plan_zeus", &capsule, &plan_capsule))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	const struct perseus_plan *plan = frontier == NULL ? NULL : binding_plan_of(frontier, plan_capsule);
	if (plan == NULL)
		return NULL;
	struct perseus__text text = perseus__text_init(BINDING_MAX_DOCUMENT_BYTES);
	perseus__zeus_write(&text, perseus_frontier_schedule(frontier), plan);
	return binding_text(&text);
}

PyMethodDef binding_document_methods[] = {
	{"plan_check", plan_check, METH_VARARGS, NULL},
	{"plan_json", plan_json, METH_VARARGS, NULL},
	{"plan_zeus", plan_zeus, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
