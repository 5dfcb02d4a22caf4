/* The list of CUDA_VISIBLE_DEVICES: which GPUs it names, and what is said of items that name none. */
#include "device/visible.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static const char *const uuids[] = {
	"GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
	"GPU-8932aaaa-0000-0000-0000-000000000001",
	"GPU-0a0b0c0d-0000-0000-0000-000000000002",
	"GPU-ffffffff-0000-0000-0000-000000000003",
};
enum { N_GPUS = sizeof uuids / sizeof *uuids };

static const char *
uuid_of(void *user, int32_t gpu)
{
	(void)user;
	return uuids[gpu];
}

static int32_t
gpu_of_mig(void *user, const char *uuid)
{
	(void)user;
	return strcmp(uuid, "MIG-11111111-2222-3333-4444-555555555555") == 0 ? 3 : -1;
}

static const struct perseus__visible_gpus gpus = {.n_gpus = N_GPUS, .uuid = uuid_of, .gpu_of_mig = gpu_of_mig};

/* `visible`: for each GPU '.' hidden, 'v' visible, 'm' by a slice. */
static const struct {
	const char *list;
	const char *visible;
} lists[] = {
	{NULL, "vvvv"},
	{"", "...."},
	{" ", "...."},
	{"0", "v..."},
	{"2,1", ".vv."},
	{" 3 , 0 ", "v..v"},
	{"0,2,-1,1", "v.v."},
	{"-1", "...."},
	{"1,1", ".v.."},
	{"GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "v..."},
	{"GPU-8932f", "v..."},
	{"GPU-FFFF,GPU-0", "..vv"},
	{"MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/2", "m..."},
	{"MIG-GPU-8932a/1/0,2", ".mv."},
	{"MIG-11111111-2222-3333-4444-555555555555", "...m"},
	{"3,MIG-11111111-2222-3333-4444-555555555555", "...m"},
	{"MIG-11111111-2222-3333-4444-555555555555,3", "...m"},
};

START_TEST(names_gpus)
{
	enum perseus__visible visible[N_GPUS];
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__visible_select(lists[_i].list, &gpus, visible, &err) == PERSEUS_OK, "%s", err.message);
	for (int i = 0; i < N_GPUS; i++)
		ck_assert_msg(".vm"[visible[i]] == lists[_i].visible[i], "'%s', GPU %d: %c, expected %c", lists[_i].list, i,
				".vm"[visible[i]], lists[_i].visible[i]);
}
END_TEST

static const struct {
	const char *list;
	const char *message;
} refused[] = {
	{"4", "visible GPUs: there is no GPU 4, only 4 of them"},
	{"99999999999999999999", "visible GPUs: there is no GPU 99999999999999999999, only 4 of them"},
	{"0,", "visible GPUs: an item is empty"},
	{",0", "visible GPUs: an item is empty"},
	{"all", "visible GPUs: 'all' is no index, no GPU-UUID and no MIG-UUID"},
	{"0-2", "visible GPUs: '0-2' is no index, no GPU-UUID and no MIG-UUID"},
	{"-", "visible GPUs: '-' is no index, no GPU-UUID and no MIG-UUID"},
	{"GPU-8932", "visible GPUs: 'GPU-8932' begins the UUID of more than one GPU"},
	{"GPU-1", "visible GPUs: 'GPU-1' begins the UUID of no GPU here"},
	{"MIG-GPU-1/0/0", "visible GPUs: 'MIG-GPU-1/0/0' begins the UUID of no GPU here"},
	{"MIG-1", "visible GPUs: 'MIG-1' is a slice of no GPU here"},
};

START_TEST(refuses_what_names_no_gpu)
{
	enum perseus__visible visible[N_GPUS];
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__visible_select(refused[_i].list, &gpus, visible, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

START_TEST(refuses_an_item_that_is_too_long)
{
	char list[300];
	memset(list, 'G', sizeof list);
	list[sizeof list - 1] = '\0';
	enum perseus__visible visible[N_GPUS];
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__visible_select(list, &gpus, visible, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, "and more is too long") != NULL, "%s", err.message);
}
END_TEST

START_TEST(knows_no_slices_where_there_are_none)
{
	struct perseus__visible_gpus whole = gpus;
	whole.gpu_of_mig = NULL;
	enum perseus__visible visible[N_GPUS];
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__visible_select("MIG-GPU-ffff/0/0", &whole, visible, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "visible GPUs: 'MIG-GPU-ffff/0/0' is a slice, but no GPU here is cut into any");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("visible");
	TCase *tcase = tcase_create("visible");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, names_gpus, 0, sizeof lists / sizeof *lists);
	tcase_add_loop_test(tcase, refuses_what_names_no_gpu, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tcase, refuses_an_item_that_is_too_long);
	tcase_add_test(tcase, knows_no_slices_where_there_are_none);
	return run_suite(suite);
}
