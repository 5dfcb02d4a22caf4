/*
 * Pacing for Python: a problem and its answer in one object.
 */
#include "binding.h"

/* Owns its slots and the answer; the curve belongs to a capsule that this one's keeps alive. */
struct paced {
	struct perseus_pace_problem problem;
	struct perseus_pace_slot *slots;
	struct perseus_pace *pace;
};

static void
destroy_paced(void *object)
{
	struct paced *paced = object;
	perseus_pace_free(paced->pace);
	binding_free(paced->slots);
	binding_free(paced);
}

static struct perseus_pace_slot *
make_slots(PyObject *durations, PyObject *factors, int32_t *n)
{
	Py_ssize_t n_durations = 0, n_factors = 0;
	double *duration_s = binding_double_array(durations, &n_durations);
	double *factor_per_kwh = duration_s == NULL ? NULL : binding_double_array(factors, &n_factors);
	struct perseus_pace_slot *slots = NULL;
	if (factor_per_kwh != NULL && (n_durations != n_factors || n_factors > INT32_MAX))
		PyErr_SetString(PyExc_ValueError, "pacing needs as many factors as durations");
	else if (factor_per_kwh != NULL)
		slots = binding_new_array(n_factors, sizeof(*slots));
	for (Py_ssize_t i = 0; slots != NULL && i < n_factors; i++)
		slots[i] = (struct perseus_pace_slot){.duration_s = duration_s[i], .factor_per_kwh = factor_per_kwh[i]};
	*n = (int32_t)n_factors;
	binding_free(duration_s);
	binding_free(factor_per_kwh);
	return slots;
}

/* Solves without the interpreter lock; `paced` becomes the capsule's. */
static PyObject *
solve(PyObject *module, PyObject *curve, struct paced *paced)
{
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_pace_new(&paced->problem, &paced->pace, &err);
	Py_END_ALLOW_THREADS if (status == PERSEUS_OK) return binding_wrap(paced, BINDING_PACE, destroy_paced, curve);
	destroy_paced(paced);
	return binding_raise(module, &err);
}

static PyObject *
pace_new(PyObject *module, PyObject *args)
{
	PyObject *curve, *durations, *factors, *idle_power;
	struct perseus_pace_problem problem = {0};
	if (!PyArg_ParseTuple(args, "OOOddOd:pace_new", &curve, &durations, &factors, &problem.n_iterations, &problem.pue,
				&idle_power, &problem.reservation_per_h))
		return NULL;
	problem.curve = binding_unwrap(curve, BINDING_OPERATING_CURVE);
	problem.may_pause = idle_power != Py_None;
	if (problem.curve == NULL || (problem.may_pause && !PyArg_Parse(idle_power, "d", &problem.idle_power_w)))
		return NULL;
	struct perseus_pace_slot *slots = make_slots(durations, factors, &problem.n_slots);
	struct paced *paced = slots == NULL ? NULL : binding_new_array(1, sizeof(*paced));
	if (paced == NULL) {
		binding_free(slots);
		return NULL;
	}
	problem.slots = slots;
	*paced = (struct paced){.problem = problem, .slots = slots};
	return solve(module, curve, paced);
}

static PyObject *
make_mode(const void *user, Py_ssize_t i)
{
	const struct perseus_pace_mode *mode = (const struct perseus_pace_mode *)user + i;
	return Py_BuildValue("dd", mode->rate_hz, mode->time_s);
}

static PyObject *
make_slot(const void *user, Py_ssize_t i)
{
	const struct perseus_paced_slot *slot = (const struct perseus_paced_slot *)user + i;
	PyObject *modes = binding_tuple(slot->n_modes, make_mode, slot->modes);
	if (modes == NULL)
		return NULL;
	return Py_BuildValue("ddddN", slot->held_s, slot->n_iterations, slot->energy_j, slot->grams, modes);
}

/*
 * (held_s, energy_j, grams, reservation_grams, slots), each slot (held_s, iterations, energy_j, grams, modes), each
 * mode (rate_hz, time_s)
 */
static PyObject *
make_course(const struct perseus_pace_course *course)
{
	PyObject *slots = binding_tuple(course->n_slots, make_slot, course->slots);
	if (slots == NULL)
		return NULL;
	return Py_BuildValue("ddddN", course->held_s, course->energy_j, course->grams, course->reservation_grams, slots);
}

static PyObject *
pace_course(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct paced *paced = binding_unwrap(capsule, BINDING_PACE);
	return paced == NULL ? NULL : make_course(&paced->pace->course);
}

/* (price, prices, lower_bound, gap) */
static PyObject *
pace_proof(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct paced *paced = binding_unwrap(capsule, BINDING_PACE);
	if (paced == NULL)
		return NULL;
	PyObject *prices = binding_double_tuple(paced->pace->prices, paced->pace->n_prices);
	if (prices == NULL)
		return NULL;
	return Py_BuildValue("dNdd", paced->pace->price, prices, paced->pace->lower_bound, paced->pace->gap);
}

/* As pace_course, or None where the job may not pause, and the baseline would */
static PyObject *
pace_baseline(PyObject *module, PyObject *args)
{
	PyObject *capsule;
	int baseline;
	if (!PyArg_ParseTuple(args, "Oi:pace_baseline", &capsule, &baseline))
		return NULL;
	const struct paced *paced = binding_unwrap(capsule, BINDING_PACE);
	if (paced == NULL)
		return NULL;
	if (baseline < 0 || baseline >= PERSEUS_N_PACE_BASELINES)
		return PyErr_Format(PyExc_ValueError, "no baseline has number %d", baseline);
	struct perseus_pace_course *course = NULL;
	struct perseus_error err;
	if (perseus_pace_baseline_new(&paced->problem, (enum perseus_pace_baseline)baseline, &course, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	if (course == NULL)
		Py_RETURN_NONE;
	PyObject *result = make_course(course);
	perseus_pace_course_free(course);
	return result;
}

static PyObject *
pace_break_even(PyObject *module, PyObject *capsule)
{
	const struct paced *paced = binding_unwrap(capsule, BINDING_PACE);
	if (paced == NULL)
		return NULL;
	double reservation_per_h = 0;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_pace_break_even(&paced->problem, &reservation_per_h, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? PyFloat_FromDouble(reservation_per_h)
													 : binding_raise(module, &err);
}

/* Proves the answer, with other prices than its own where they are given. */
static PyObject *
pace_check(PyObject *module, PyObject *args)
{
	PyObject *capsule, *prices;
	double tolerance;
	if (!PyArg_ParseTuple(args, "OOd:pace_check", &capsule, &prices, &tolerance))
		return NULL;
	const struct paced *paced = binding_unwrap(capsule, BINDING_PACE);
	if (paced == NULL)
		return NULL;
	Py_ssize_t n = 0;
	struct perseus_pace changed = *paced->pace;
	changed.prices = binding_double_array(prices, &n);
	changed.n_prices = (int32_t)n;
	if (changed.prices == NULL)
		return NULL;
	struct perseus_error err;
	const enum perseus_status status = perseus_pace_check(&changed, &paced->problem, tolerance, &err);
	binding_free(changed.prices);
	if (status != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

PyMethodDef binding_pace_methods[] = {
	{"pace_new", pace_new, METH_VARARGS, NULL},
	{"pace_course", pace_course, METH_O, NULL},
	{"pace_proof", pace_proof, METH_O, NULL},
	{"pace_baseline", pace_baseline, METH_VARARGS, NULL},
	{"pace_break_even", pace_break_even, METH_O, NULL},
	{"pace_check", pace_check, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};
