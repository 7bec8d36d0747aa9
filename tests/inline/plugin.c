/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c - a shared object with a rule of its own, loaded when the evaluator runs already. */
#include <tocsin.h>

TOC_MODULE(late, "A module that comes late");
TOC_GAUGE(height, "What the call sets", TOC_ALERT(value, >, 7, TOC_WARN, "it came too high"));

void plugin_ring(void);

void plugin_ring(void)
{
        toc_set(height, 8);
}
