/*
 * Plans for Python: solved without the interpreter lock, read as plain tuples.
 */
#include "binding.h"

static void
destroy_plan(void *plan)
{
	perseus_plan_free(plan);
}

static void
destroy_table(void *table)
{
	perseus_plan_table_free(table);
}

/* A plan out of a table belongs to the table, which its capsule keeps alive. */
static void
leave_plan(void *Py_UNUSED(plan))
{
}

static bool
check_settings(int granularity, const struct perseus_plan_settings *settings)
{
	static const int n_granularities = 0
#define X(name, text) +1
			PERSEUS_GRANULARITY_MAP(X)
#undef X
			;
	if (granularity < 0 || granularity >= n_granularities)
		PyErr_Format(PyExc_ValueError, "no granularity has number %d", granularity);
	else if (settings->switch_latency_ns < 0)
		PyErr_SetString(PyExc_ValueError, "the switch latency must not be negative");
	return PyErr_Occurred() == NULL;
}

bool
binding_plan_settings(
		long long deadline_ns, int granularity, long long switch_latency_ns, struct perseus_plan_settings *settings)
{
	*settings = perseus_plan_settings_default();
	settings->deadline_ns = deadline_ns;
	settings->switch_latency_ns = switch_latency_ns;
	if (!check_settings(granularity, settings))
		return false;
	settings->granularity = (enum perseus_granularity)granularity;
	return true;
}

const struct perseus_plan *
binding_plan_of(const struct perseus_frontier *frontier, PyObject *capsule)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	const struct perseus_plan *plan = binding_unwrap(capsule, BINDING_PLAN);
	if (plan == NULL || (plan->n_ranks == schedule->n_ranks && plan->n_instructions == schedule->n_instructions))
		return plan;
	PyErr_SetString(PyExc_ValueError, "the plan belongs to another frontier");
	return NULL;
}

static PyObject *
plan_new(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	long long deadline_ns;
	int granularity;
	long long switch_latency_ns;
	struct perseus_plan_settings settings;
	if (!PyArg_ParseTuple(args, "OLiL:plan_new", &capsule, &deadline_ns, &granularity, &switch_latency_ns))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL || !binding_plan_settings(deadline_ns, granularity, switch_latency_ns, &settings))
		return NULL;
	struct perseus_plan *plan = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_plan_new(frontier, &settings, &plan, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? binding_wrap(plan, BINDING_PLAN, destroy_plan, NULL)
													 : binding_raise(module, &err);
}

static PyObject *
plan_evaluate(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *clocks;
	long long deadline_ns;
	long long switch_latency_ns;
	struct perseus_plan_settings settings;
	if (!PyArg_ParseTuple(args, "OOLL:plan_evaluate", &capsule, &clocks, &deadline_ns, &switch_latency_ns))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL
			|| !binding_plan_settings(deadline_ns, PERSEUS_GRANULARITY_INSTRUCTION, switch_latency_ns, &settings))
		return NULL;
	Py_ssize_t n = 0;
	int32_t *frequency_mhz = binding_int32_array(clocks, &n);
	if (frequency_mhz == NULL)
		return NULL;
	const int32_t n_instructions = perseus_frontier_schedule(frontier)->n_instructions;
	if (n != n_instructions) {
		binding_free(frequency_mhz);
		return PyErr_Format(PyExc_ValueError, "%zd clocks for %d instructions", n, (int)n_instructions);
	}
	struct perseus_plan *plan = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_plan_evaluate(frontier, frequency_mhz, &settings, &plan, &err);
	Py_END_ALLOW_THREADS binding_free(frequency_mhz);
	return status == PERSEUS_OK ? binding_wrap(plan, BINDING_PLAN, destroy_plan, NULL) : binding_raise(module, &err);
}

/*
 * (deadline_ns, granularity, switch_latency_ns, iteration_time_ns, energy_nj, the same two of the baseline,
 *  lower_bound_j, gap, saving, clock_changes)
 */
static PyObject *
plan_summary(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_plan *plan = binding_unwrap(capsule, BINDING_PLAN);
	if (plan == NULL)
		return NULL;
	return Py_BuildValue("LiLLLLLdddN", (long long)plan->deadline_ns, (int)plan->granularity,
			(long long)plan->switch_latency_ns, (long long)plan->outcome.iteration_time_ns,
			(long long)plan->outcome.energy_nj, (long long)plan->baseline.iteration_time_ns,
			(long long)plan->baseline.energy_nj, plan->lower_bound_j, plan->gap, plan->saving,
			binding_int32_tuple(plan->clock_changes, plan->n_ranks));
}

static PyObject *
make_step(const void *user, Py_ssize_t i)
{
	const struct perseus_step *step = (const struct perseus_step *)user + i;
	return Py_BuildValue("iiLLL", step->frequency_mhz, step->choice, (long long)step->start_ns,
			(long long)step->time_ns, (long long)step->energy_nj);
}

/* ((frequency_mhz, choice, start_ns, time_ns, energy_nj), ...) */
static PyObject *
plan_steps(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_plan *plan = binding_unwrap(capsule, BINDING_PLAN);
	return plan == NULL ? NULL : binding_tuple(plan->n_instructions, make_step, plan->steps);
}

static PyObject *
plan_table_new(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int granularity;
	long long switch_latency_ns;
	int n_deadlines;
	struct perseus_plan_settings settings;
	if (!PyArg_ParseTuple(args, "OiLi:plan_table_new", &capsule, &granularity, &switch_latency_ns, &n_deadlines))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL || !binding_plan_settings(0, granularity, switch_latency_ns, &settings))
		return NULL;
	struct perseus_plan_table *table = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_plan_table_new(frontier, &settings, n_deadlines, &table, &err);
	Py_END_ALLOW_THREADS if (status != PERSEUS_OK) return binding_raise(module, &err);
	return binding_wrap(table, BINDING_PLAN_TABLE, destroy_table, capsule);
}

/* The stored plan, or None below T_min */
static PyObject *
plan_table_lookup(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *capsule;
	long long deadline_ns;
	if (!PyArg_ParseTuple(args, "OL:plan_table_lookup", &capsule, &deadline_ns))
		return NULL;
	const struct perseus_plan_table *table = binding_unwrap(capsule, BINDING_PLAN_TABLE);
	if (table == NULL)
		return NULL;
	const struct perseus_plan *plan = perseus_plan_table_lookup(table, deadline_ns);
	if (plan == NULL)
		Py_RETURN_NONE;
	return binding_wrap((void *)(uintptr_t)plan, BINDING_PLAN, leave_plan, capsule);
}

PyMethodDef binding_plan_methods[] = {
	{"plan_new", plan_new, METH_VARARGS, NULL},
	{"plan_evaluate", plan_evaluate, METH_VARARGS, NULL},
	{"plan_summary", plan_summary, METH_O, NULL},
	{"plan_steps", plan_steps, METH_O, NULL},
	{"plan_table_new", plan_table_new, METH_VARARGS, NULL},
	{"plan_table_lookup", plan_table_lookup, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
