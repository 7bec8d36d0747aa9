/* SPDX-License-Identifier: Apache-2.0 */
/* fault_door.c - memory that grows with the load. Harmless: there are twins only. */
#include "faults.h"

#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(door, "Connections");

enum { connection_max = 4096, connection_bytes = 4096 };

static char *connections[connection_max];

static FAULTS_SITE void door_open(size_t number)
{
        TOC_ENTER(door);

        connections[number] = malloc(connection_bytes);
        if (!connections[number])
                exit(9);
}

static FAULTS_SITE void door_close(size_t number)
{
        TOC_ENTER(door);

        free(connections[number]);
        connections[number] = NULL;
}

void load_ramp(void)
{
        size_t number = 0;

        faults_begin();
        for (; faults_age_ms() < FAULTS_QUIET_MS + 20000; number++) {
                door_open(number);
                faults_pause_ms(20);
        }
        while (number > 0)
                door_close(--number);
}

/* Each second it makes 10 more than in the second before; each lives for 3 s. */
void load_rising(void)
{
        size_t opened = 0, closed = 0, ends[32] = { 0 };

        faults_begin();
        for (unsigned second = 0; second < 20; second++) {
                for (unsigned i = 0; i < 10 * second; i++)
                        door_open(opened++);
                ends[second] = opened;
                while (second >= 3 && closed < ends[second - 3])
                        door_close(closed++);
                faults_pause_ms(1000);
        }
        while (closed < opened)
                door_close(closed++);
}
