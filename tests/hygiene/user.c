/* A user's program, in the language that C and C++ share: prints the version of the library it runs with. */
#include <perseus/perseus.h>

#include <stdio.h>

int
main(void)
{
	struct perseus_profile *profile = NULL;
	struct perseus_error err;
	if (perseus_profile_new(NULL, 0, NULL, &profile, &err) != PERSEUS_INVALID || profile != NULL)
		return 1;
	printf("%s\n", perseus_version());
	return perseus_version_number() == PERSEUS_VERSION_NUMBER ? 0 : 1;
}
