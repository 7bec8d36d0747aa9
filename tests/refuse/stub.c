/* SPDX-License-Identifier: Apache-2.0 */
/* stub.c - the names that libtocsin defines, and nothing behind them: the tests in link/ ask what
 * the linker says about the names of modules, and nothing here is ever run. */
void toc_register_(void);
void toc_unregister_(void);
void toc_attach_thread_(void);
void toc_attach_shared_(void);
void toc_miss_(void);
void toc_report_(void);

void toc_register_(void)
{
}

void toc_unregister_(void)
{
}

void toc_attach_thread_(void)
{
}

void toc_attach_shared_(void)
{
}

void toc_miss_(void)
{
}

void toc_report_(void)
{
}
