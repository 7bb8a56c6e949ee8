/* lavapipe - lets LeakSanitizer recognise what Mesa's software driver leaves behind.
 *
 * The driver leaks 128 bytes in a module that is unloaded by the time leaks are sought, where no
 * suppression can name it. Keeping the module loaded gives it back its name. Empty otherwise.
 */
#ifdef __SANITIZE_ADDRESS__

#include <dlfcn.h>

const char *__lsan_default_suppressions(void);

__attribute__((constructor)) static void driver_keep(void)
{
	/* Absent is fine: the tests then skip, or run on another driver. */
	dlopen("libvulkan_lvp.so", RTLD_NOW | RTLD_NODELETE);
}

const char *__lsan_default_suppressions(void)
{
	return "leak:libvulkan_lvp\n";
}

#endif
