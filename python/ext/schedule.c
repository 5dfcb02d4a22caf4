/*
 * Schedules for Python: generated, read from PyTorch's CSV, or given as orders.
 */
#include "binding.h"

#include "format/pytorch_csv.h"

#include <string.h>

enum { INSTRUCTION_TEXT_BYTES = 128 };

static void
destroy_schedule(void *schedule)
{
	perseus_schedule_free(schedule);
}

static PyObject *
wrap_schedule(const struct perseus_schedule *schedule)
{
	/* The capsule owns it; only the library's own function, which takes a pointer to const, ever changes it. */
	return binding_wrap((void *)(uintptr_t)schedule, BINDING_SCHEDULE, destroy_schedule, NULL);
}

static bool
parse_layout(const char *text, enum perseus_layout *layout)
{
	static const struct {
		const char *text;
		enum perseus_layout layout;
	} layouts[] = {
		{"default", PERSEUS_LAYOUT_DEFAULT},
		{"loop", PERSEUS_LAYOUT_LOOP},
		{"v", PERSEUS_LAYOUT_V},
	};
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (strcmp(text, layouts[i].text) == 0) {
			*layout = layouts[i].layout;
			return true;
		}
	}
	PyErr_Format(PyExc_ValueError, "layout is '%s', expected 'default', 'loop' or 'v'", text);
	return false;
}

static PyObject *
schedule_generate(PyObject *module, PyObject *args)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	const char *layout;
	PyObject *extra_warmup;
	int data_load;
	int grad_reduce;
	int optimizer_step;
	if (!PyArg_ParseTuple(args, "siiiisOppp:schedule_generate", &settings.name, &settings.n_ranks,
				&settings.n_microbatches, &settings.stages_per_rank, &settings.group_size, &layout, &extra_warmup,
				&data_load, &grad_reduce, &optimizer_step))
		return NULL;
	if (!parse_layout(layout, &settings.layout))
		return NULL;
	settings.data_load = data_load != 0;
	settings.grad_reduce = grad_reduce != 0;
	settings.optimizer_step = optimizer_step != 0;
	int32_t *warmup = NULL;
	if (extra_warmup != Py_None) {
		Py_ssize_t n = 0;
		warmup = binding_int32_array(extra_warmup, &n);
		if (warmup == NULL)
			return NULL;
		if (n != settings.n_ranks) {
			binding_free(warmup);
			return PyErr_Format(PyExc_ValueError, "extra_warmup has %zd values for %d ranks", n, settings.n_ranks);
		}
		settings.extra_warmup = warmup;
	}
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus_schedule_generate(&settings, &schedule, &err);
	Py_END_ALLOW_THREADS binding_free(warmup);
	return status == PERSEUS_OK ? wrap_schedule(schedule) : binding_raise(module, &err);
}

/* (schedule, what was read in another way than it is written) */
static PyObject *
schedule_read_pytorch_csv(PyObject *module, PyObject *args)
{
	const char *text;
	Py_ssize_t size;
	const char *name;
	if (!PyArg_ParseTuple(args, "y#s:schedule_read_pytorch_csv", &text, &size, &name))
		return NULL;
	char note[PERSEUS__PYTORCH_NOTE_BYTES];
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err;
	enum perseus_status status;
	Py_BEGIN_ALLOW_THREADS status = perseus__pytorch_csv_parse(name, text, (size_t)size, &schedule, note, &err);
	Py_END_ALLOW_THREADS return status == PERSEUS_OK ? Py_BuildValue("Ns", wrap_schedule(schedule), note)
													 : binding_raise(module, &err);
}

static bool
check_kind(int kind)
{
	static const int n_kinds = 0
#define X(name, text) +1
			PERSEUS_KIND_MAP(X)
#undef X
			;
	if (kind >= 0 && kind < n_kinds)
		return true;
	PyErr_Format(PyExc_ValueError, "no kind has number %d", kind);
	return false;
}

/* Reads ((kind, stage, microbatch), ...) of an instruction. */
static bool
parse_parts(PyObject *parts, struct perseus_instruction *instruction)
{
	const Py_ssize_t n = PyTuple_Size(parts);
	if (n < 1 || n > 2) {
		if (n >= 0)
			PyErr_Format(PyExc_ValueError, "an instruction has %zd parts, expected 1 or 2", n);
		return false;
	}
	instruction->n_parts = (int32_t)n;
	for (Py_ssize_t i = 0; i < n; i++) {
		int kind;
		struct perseus_part *part = &instruction->part[i];
		if (!PyArg_ParseTuple(PyTuple_GetItem(parts, i), "iii", &kind, &part->stage, &part->microbatch)
				|| !check_kind(kind))
			return false;
		part->kind = (enum perseus_kind)kind;
	}
	return true;
}

/* Reads (kind, rank, class name or None, parts); `row` must outlive the result. */
static bool
parse_instruction(PyObject *row, struct perseus_instruction *instruction)
{
	int kind;
	PyObject *parts;
	if (!PyArg_ParseTuple(row, "iizO!", &kind, &instruction->rank, &instruction->class_name, &PyTuple_Type, &parts)
			|| !check_kind(kind) || !parse_parts(parts, instruction))
		return false;
	instruction->kind = (enum perseus_kind)kind;
	instruction->stage = instruction->part[0].stage;
	instruction->microbatch = instruction->part[0].microbatch;
	return true;
}

static struct perseus_instruction *
parse_instructions(PyObject *rows, Py_ssize_t n)
{
	struct perseus_instruction *instructions = binding_new_array(n, sizeof(*instructions));
	for (Py_ssize_t i = 0; instructions != NULL && i < n; i++) {
		if (!parse_instruction(PyTuple_GetItem(rows, i), &instructions[i])) {
			binding_free(instructions);
			instructions = NULL;
		}
	}
	return instructions;
}

static struct perseus_edge *
parse_edges(PyObject *rows, Py_ssize_t n)
{
	struct perseus_edge *edges = binding_new_array(n, sizeof(*edges));
	for (Py_ssize_t i = 0; edges != NULL && i < n; i++) {
		int is_transfer = 0;
		if (!PyArg_ParseTuple(PyTuple_GetItem(rows, i), "ii|p;an edge is (from, to) or (from, to, is_transfer)",
					&edges[i].from, &edges[i].to, &is_transfer)) {
			binding_free(edges);
			return NULL;
		}
		edges[i].is_transfer = is_transfer != 0;
	}
	return edges;
}

/* The order within `order` as Python gave it: what perseus_schedule_import may trust is checked here. */
static bool
check_order(const int32_t *rank_begin, Py_ssize_t n_begin, Py_ssize_t n_instructions, Py_ssize_t n_edges)
{
	bool ok = n_begin >= 1 && n_begin <= INT32_MAX && n_instructions <= INT32_MAX && n_edges <= INT32_MAX
			&& rank_begin[0] == 0 && rank_begin[n_begin - 1] == n_instructions;
	for (Py_ssize_t r = 1; ok && r < n_begin; r++)
		ok = rank_begin[r - 1] <= rank_begin[r];
	if (!ok)
		PyErr_SetString(PyExc_ValueError, "rank_begin does not divide the instructions");
	return ok;
}

static PyObject *
import_order(PyObject *module, struct perseus_order *order, PyObject *rows, PyObject *edge_rows, PyObject *rank_begin)
{
	Py_ssize_t n_begin = 0;
	const Py_ssize_t n_instructions = PyTuple_Size(rows);
	const Py_ssize_t n_edges = PyTuple_Size(edge_rows);
	int32_t *begin = binding_int32_array(rank_begin, &n_begin);
	struct perseus_instruction *instructions = begin == NULL ? NULL : parse_instructions(rows, n_instructions);
	struct perseus_edge *edges = instructions == NULL ? NULL : parse_edges(edge_rows, n_edges);
	PyObject *result = NULL;
	if (edges != NULL && check_order(begin, n_begin, n_instructions, n_edges)) {
		const struct perseus_schedule *schedule = NULL;
		struct perseus_error err;
		enum perseus_status status;
		order->n_ranks = (int32_t)(n_begin - 1);
		order->rank_begin = begin;
		order->instructions = instructions;
		order->extra_edges = edges;
		order->n_extra_edges = (int32_t)n_edges;
		Py_BEGIN_ALLOW_THREADS status = perseus_schedule_import(order, &schedule, &err);
		Py_END_ALLOW_THREADS result = status == PERSEUS_OK ? wrap_schedule(schedule) : binding_raise(module, &err);
	}
	binding_free(edges);
	binding_free(instructions);
	binding_free(begin);
	return result;
}

static PyObject *
schedule_import(PyObject *module, PyObject *args)
{
	struct perseus_order order = {0};
	PyObject *rank_begin;
	PyObject *instructions;
	PyObject *edges;
	int explicit_edges_only;
	if (!PyArg_ParseTuple(
				args, "sOOOp:schedule_import", &order.name, &rank_begin, &instructions, &edges, &explicit_edges_only))
		return NULL;
	order.explicit_edges_only = explicit_edges_only != 0;
	PyObject *rows = binding_tuple_of_tuples(instructions);
	PyObject *edge_rows = rows == NULL ? NULL : binding_tuple_of_tuples(edges);
	PyObject *result = edge_rows == NULL ? NULL : import_order(module, &order, rows, edge_rows, rank_begin);
	Py_XDECREF(edge_rows);
	Py_XDECREF(rows);
	return result;
}

static PyObject *
make_part(const void *user, Py_ssize_t i)
{
	const struct perseus_part *part = (const struct perseus_part *)user + i;
	return Py_BuildValue("sii", perseus_kind_name(part->kind), part->stage, part->microbatch);
}

static PyObject *
make_instruction(const void *user, Py_ssize_t i)
{
	const struct perseus_instruction *instruction = (const struct perseus_instruction *)user + i;
	char text[INSTRUCTION_TEXT_BYTES];
	perseus_instruction_text(instruction, text, sizeof(text));
	return Py_BuildValue("siiissN", perseus_kind_name(instruction->kind), instruction->rank, instruction->stage,
			instruction->microbatch, instruction->class_name, text,
			binding_tuple(instruction->n_parts, make_part, instruction->part));
}

static PyObject *
make_edge(const void *user, Py_ssize_t i)
{
	const struct perseus_edge *edge = (const struct perseus_edge *)user + i;
	return Py_BuildValue("iiN", edge->from, edge->to, PyBool_FromLong(edge->is_transfer));
}

/* (name, n_stages, n_microbatches, rank_begin) */
static PyObject *
schedule_shape(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_schedule *schedule = binding_unwrap(capsule, BINDING_SCHEDULE);
	if (schedule == NULL)
		return NULL;
	return Py_BuildValue("siiN", schedule->name, schedule->n_stages, schedule->n_microbatches,
			binding_int32_tuple(schedule->rank_begin, (Py_ssize_t)schedule->n_ranks + 1));
}

static PyObject *
schedule_instructions(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_schedule *schedule = binding_unwrap(capsule, BINDING_SCHEDULE);
	return schedule == NULL ? NULL : binding_tuple(schedule->n_instructions, make_instruction, schedule->instructions);
}

static PyObject *
schedule_edges(PyObject *Py_UNUSED(module), PyObject *capsule)
{
	const struct perseus_schedule *schedule = binding_unwrap(capsule, BINDING_SCHEDULE);
	return schedule == NULL ? NULL : binding_tuple(schedule->n_edges, make_edge, schedule->edges);
}

/* The form compute_only of PyTorch's CSV. */
static PyObject *
schedule_write_pytorch_csv(PyObject *module, PyObject *capsule)
{
	const struct perseus_schedule *schedule = binding_unwrap(capsule, BINDING_SCHEDULE);
	struct perseus__text text = perseus__text_init(BINDING_MAX_DOCUMENT_BYTES);
	struct perseus_error err;
	if (schedule == NULL)
		return NULL;
	if (perseus__pytorch_csv_write(schedule, &text, &err) == PERSEUS_OK)
		return binding_text(&text);
	perseus__text_fini(&text);
	return binding_raise(module, &err);
}

static PyObject *
schedule_check(PyObject *module, PyObject *capsule)
{
	const struct perseus_schedule *schedule = binding_unwrap(capsule, BINDING_SCHEDULE);
	struct perseus_error err;
	if (schedule == NULL)
		return NULL;
	if (perseus_schedule_check(schedule, &err) != PERSEUS_OK)
		return binding_raise(module, &err);
	Py_RETURN_NONE;
}

PyMethodDef binding_schedule_methods[] = {
	{"schedule_generate", schedule_generate, METH_VARARGS, NULL},
	{"schedule_read_pytorch_csv", schedule_read_pytorch_csv, METH_VARARGS, NULL},
	{"schedule_write_pytorch_csv", schedule_write_pytorch_csv, METH_O, NULL},
	{"schedule_import", schedule_import, METH_VARARGS, NULL},
	{"schedule_shape", schedule_shape, METH_O, NULL},
	{"schedule_instructions", schedule_instructions, METH_O, NULL},
	{"schedule_edges", schedule_edges, METH_O, NULL},
	{"schedule_check", schedule_check, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
