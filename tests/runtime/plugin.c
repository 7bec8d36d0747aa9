/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c - a shared object with probes of its own, loaded and unloaded by subject.c. */
#include <tocsin.h>

TOC_MODULE(plugin, "A module in a shared object");
TOC_COUNTER(calls, "Calls into the plug-in", TOC_QUIET("the test reads it from outside"));
TOC_GAUGE(last, "What the last call set", TOC_QUIET("the test reads it from outside"));

void plugin_count(void);

void plugin_count(void)
{
        toc_count(calls);
        toc_set(last, 11);
}
