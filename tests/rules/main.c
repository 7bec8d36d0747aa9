/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - makes a program of the modules; it is never run. */
#include "lru.h"

int main(int argc, char **argv)
{
        (void)argv;
        return lru_get(argc) + net_send(argc);
}
