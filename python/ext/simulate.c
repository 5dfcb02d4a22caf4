/*
 * Simulation of jobs for Python: run without the interpreter lock but for what is called for every iteration.
 */
#include "binding.h"

#include <string.h>

enum {
	/* Iterations between two looks at signals; they take some 0.1 us each. */
	SIGNAL_STRIDE = 1 << 20
};

static PyObject *
process_tuple(const struct perseus_straggler_process *process)
{
	return Py_BuildValue("idddd", (int)process->cause, process->mean_between_iterations,
			process->mean_duration_iterations, process->least_degree, process->greatest_degree);
}

/* (cause, mean between, mean duration, least degree, greatest degree) */
static PyObject *
straggler_default(PyObject *Py_UNUSED(module), PyObject *args)
{
	int cause;
	if (!PyArg_ParseTuple(args, "i:straggler_default", &cause))
		return NULL;
	if (cause < 0 || cause >= PERSEUS_N_STRAGGLER_CAUSES)
		return PyErr_Format(PyExc_ValueError, "no cause has number %d", cause);
	const struct perseus_straggler_process process =
			perseus_straggler_process_default((enum perseus_straggler_cause)cause);
	return process_tuple(&process);
}

/* An array of processes, freed with binding_free; NULL with an exception set on failure. */
static struct perseus_straggler_process *
parse_processes(PyObject *processes, Py_ssize_t *n)
{
	PyObject *tuple = binding_tuple_of_tuples(processes);
	if (tuple == NULL)
		return NULL;
	*n = PyTuple_Size(tuple);
	struct perseus_straggler_process *array = binding_new_array(*n, sizeof(*array));
	for (Py_ssize_t i = 0; array != NULL && i < *n; i++) {
		struct perseus_straggler_process *process = &array[i];
		int cause;
		if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "idddd:straggler_draw", &cause,
					&process->mean_between_iterations, &process->mean_duration_iterations, &process->least_degree,
					&process->greatest_degree)) {
			binding_free(array);
			array = NULL;
		} else
			process->cause = (enum perseus_straggler_cause)cause;
	}
	Py_DECREF(tuple);
	return array;
}

static PyObject *
make_event(const void *user, Py_ssize_t i)
{
	const struct perseus_straggler_event *event = (const struct perseus_straggler_event *)user + i;
	return Py_BuildValue("Lid", (long long)event->iteration, (int)event->pipeline, event->degree);
}

/* ((iteration, pipeline, degree), ...) */
static PyObject *
straggler_draw(PyObject *module, PyObject *args)
{
	PyObject *given;
	int n_pipelines;
	long long n_iterations;
	unsigned long long seed;
	if (!PyArg_ParseTuple(args, "OiLK:straggler_draw", &given, &n_pipelines, &n_iterations, &seed))
		return NULL;
	Py_ssize_t n = 0;
	struct perseus_straggler_process *processes = parse_processes(given, &n);
	if (processes == NULL)
		return NULL;
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	struct perseus_error err;
	enum perseus_status status;
	const struct perseus_straggler_settings settings = {processes, (int32_t)n, n_pipelines, n_iterations, seed};
	Py_BEGIN_ALLOW_THREADS status = perseus_straggler_events_draw(&settings, &events, &n_events, &err);
	Py_END_ALLOW_THREADS binding_free(processes);
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	PyObject *tuple = binding_tuple((Py_ssize_t)n_events, make_event, events);
	perseus_straggler_events_free(events);
	return tuple;
}

/* (time_ns, energy_nj, effective_nj) */
static PyObject *
policy_plan(PyObject *Py_UNUSED(module), PyObject *args)
{
	PyObject *capsules[2];
	if (!PyArg_ParseTuple(args, "OO:policy_plan", &capsules[0], &capsules[1]))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsules[0], BINDING_FRONTIER);
	const struct perseus_plan *plan = frontier == NULL ? NULL : binding_plan_of(frontier, capsules[1]);
	if (plan == NULL)
		return NULL;
	const struct perseus_policy_plan made = perseus_policy_plan_of(frontier, plan);
	return Py_BuildValue("LLL", (long long)made.time_ns, (long long)made.energy_nj, (long long)made.effective_nj);
}

/* Stragglers as events, freed with binding_free; NULL with an exception set on failure. */
static struct perseus_straggler_event *
parse_events(PyObject *stragglers, Py_ssize_t *n)
{
	PyObject *tuple = binding_tuple_of_tuples(stragglers);
	if (tuple == NULL)
		return NULL;
	*n = PyTuple_Size(tuple);
	struct perseus_straggler_event *events = binding_new_array(*n, sizeof(*events));
	for (Py_ssize_t i = 0; events != NULL && i < *n; i++) {
		long long iteration;
		int pipeline;
		if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "Lid:simulate", &iteration, &pipeline, &events[i].degree)) {
			binding_free(events);
			events = NULL;
		} else {
			events[i].iteration = iteration;
			events[i].pipeline = pipeline;
		}
	}
	Py_DECREF(tuple);
	return events;
}

/* Plans out of ((time_ns, energy_nj, effective_nj), ...); NULL with an exception set on failure. */
static struct perseus_policy_plan *
parse_plans(PyObject *plans, int32_t *n)
{
	PyObject *tuple = binding_tuple_of_tuples(plans);
	if (tuple == NULL)
		return NULL;
	const Py_ssize_t n_plans = PyTuple_Size(tuple);
	struct perseus_policy_plan *array = binding_new_array(n_plans, sizeof(*array));
	for (Py_ssize_t i = 0; array != NULL && i < n_plans; i++) {
		long long values[3];
		if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "LLL:simulate", &values[0], &values[1], &values[2])) {
			binding_free(array);
			array = NULL;
		} else
			array[i] = (struct perseus_policy_plan){
				.time_ns = values[0], .energy_nj = values[1], .effective_nj = values[2]};
	}
	Py_DECREF(tuple);
	*n = (int32_t)n_plans;
	return array;
}

static void
free_policies(struct perseus_policy *policies, Py_ssize_t n)
{
	for (Py_ssize_t i = 0; policies != NULL && i < n; i++) {
		binding_free(policies[i].name);
		binding_free(policies[i].plans);
	}
	binding_free(policies);
}

/* A copy of a string, freed with binding_free; NULL with an exception set on failure. */
static char *
copy_name(PyObject *name)
{
	PyObject *bytes = PyUnicode_AsUTF8String(name);
	if (bytes == NULL)
		return NULL;
	char *copy = binding_new_array(PyBytes_Size(bytes) + 1, 1);
	if (copy != NULL)
		memcpy(copy, PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes));
	Py_DECREF(bytes);
	return copy;
}

/* Policies out of ((name, plans), ...); NULL with an exception set on failure. */
static struct perseus_policy *
parse_policies(PyObject *given, Py_ssize_t *n)
{
	PyObject *tuple = binding_tuple_of_tuples(given);
	if (tuple == NULL)
		return NULL;
	*n = PyTuple_Size(tuple);
	struct perseus_policy *policies = binding_new_array(*n, sizeof(*policies));
	for (Py_ssize_t i = 0; policies != NULL && i < *n; i++) {
		PyObject *name;
		PyObject *plans;
		if (PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "UO:simulate", &name, &plans)) {
			policies[i].name = copy_name(name);
			policies[i].plans = policies[i].name == NULL ? NULL : parse_plans(plans, &policies[i].n_plans);
		}
		if (policies[i].plans == NULL) {
			free_policies(policies, *n);
			policies = NULL;
		}
	}
	Py_DECREF(tuple);
	return policies;
}

static PyObject *
split_tuple(const struct perseus_energy_split *energy)
{
	return Py_BuildValue("dddd", energy->useful_j, energy->intrinsic_j, energy->extrinsic_j, energy->blocking_j);
}

struct watch {
	PyThreadState *thread;
	PyObject *each; /* or None */
	int64_t n_calls;
};

/* Calls Python; false where the run is to end, be it for an exception. */
static bool
ask_python(const struct watch *watch, const struct perseus_simulated_iteration *iteration)
{
	if (watch->each == Py_None)
		return PyErr_CheckSignals() == 0;
	PyObject *result =
			PyObject_CallFunction(watch->each, "LiLiidNN", (long long)iteration->iteration, (int)iteration->policy,
					(long long)iteration->time_ns, (int)iteration->n_stragglers, (int)iteration->slowest,
					iteration->degree, PyBool_FromLong(iteration->is_answered), split_tuple(&iteration->energy));
	const bool goes_on = result != NULL && result != Py_False;
	Py_XDECREF(result);
	return goes_on;
}

static bool
on_iteration(const struct perseus_simulated_iteration *iteration, void *user)
{
	struct watch *watch = user;
	if (watch->each == Py_None && ++watch->n_calls % SIGNAL_STRIDE != 0)
		return true;
	PyEval_RestoreThread(watch->thread);
	const bool goes_on = ask_python(watch, iteration);
	watch->thread = PyEval_SaveThread();
	return goes_on;
}

static PyObject *
make_total(const void *user, Py_ssize_t i)
{
	const struct perseus_simulated_total *total = (const struct perseus_simulated_total *)user + i;
	return Py_BuildValue("LLLdN", (long long)total->n_iterations, (long long)total->n_straggling,
			(long long)total->n_unanswered, total->time_s, split_tuple(&total->energy));
}

static PyObject *
run(PyObject *module, const struct perseus_simulation *simulation, PyObject *each)
{
	struct perseus_simulated_total *totals = binding_new_array(simulation->n_policies, sizeof(*totals));
	if (totals == NULL)
		return NULL;
	struct watch watch = {.each = each};
	struct perseus_error err;
	watch.thread = PyEval_SaveThread();
	const enum perseus_status status = perseus_simulate(simulation, on_iteration, &watch, totals, &err);
	PyEval_RestoreThread(watch.thread);
	PyObject *tuple = NULL;
	if (status == PERSEUS_OK)
		tuple = binding_tuple(simulation->n_policies, make_total, totals);
	else if (PyErr_Occurred() == NULL)
		(void)binding_raise(module, &err);
	binding_free(totals);
	return tuple;
}

/* simulate(frontier, pipelines, gpus_per_stage, iterations, sync_ns, reaction_ns, stragglers, policies, each) */
static PyObject *
simulate(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	PyObject *stragglers;
	PyObject *given;
	PyObject *each;
	int counts[2];
	long long numbers[3];
	if (!PyArg_ParseTuple(args, "OiiLLLOOO:simulate", &capsule, &counts[0], &counts[1], &numbers[0], &numbers[1],
				&numbers[2], &stragglers, &given, &each))
		return NULL;
	const struct perseus_frontier *frontier = binding_unwrap(capsule, BINDING_FRONTIER);
	if (frontier == NULL)
		return NULL;
	Py_ssize_t n_events = 0;
	Py_ssize_t n_policies = 0;
	struct perseus_straggler_event *events = parse_events(stragglers, &n_events);
	struct perseus_policy *policies = events == NULL ? NULL : parse_policies(given, &n_policies);
	PyObject *totals = NULL;
	if (policies != NULL) {
		const struct perseus_simulation simulation = {
			.frontier = frontier,
			.n_pipelines = counts[0],
			.gpus_per_stage = counts[1],
			.n_iterations = numbers[0],
			.sync_ns = numbers[1],
			.reaction_ns = numbers[2],
			.events = events,
			.n_events = n_events,
			.policies = policies,
			.n_policies = (int32_t)n_policies,
		};
		totals = run(module, &simulation, each);
		free_policies(policies, n_policies);
	}
	binding_free(events);
	return totals;
}

PyMethodDef binding_simulate_methods[] = {
	{"straggler_default", straggler_default, METH_VARARGS, NULL},
	{"straggler_draw", straggler_draw, METH_VARARGS, NULL},
	{"policy_plan", policy_plan, METH_VARARGS, NULL},
	{"simulate", simulate, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
