/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - what the gate and a harness program say to each other.
 *
 * A harness program is libtocsin-case.a, the contract's cases and the candidate, linked; it runs in
 * the sandbox with one end of a SOCK_SEQPACKET socket pair as descriptor WIRE_FD. One message is
 * one line of text without a line end. The gate leads:
 *
 *   gate     harness
 *   LIST
 *            INFO KIND NAME AXIS SECONDS FILE LINE SIZE,SIZE...   for each case ("-": none)
 *            DONE COUNT
 *   RUN NONCE NAME SEED KEY=VALUE...
 *            BEGUN NONCE PID            the child's own pid, as it sees it
 *            TICK NONCE SECONDS         from the child; it waits for GO
 *   GO
 *            DATA NONCE KEY=VALUE...    measures; keys below
 *            CASE NONCE NAME STATE MESSAGE    STATE: pass, fail. At most one, from the child
 *            LAST NONCE                 from the child: about to exit; waits for GO, so that its
 *                                       segment can be read a last time
 *   GO
 *            OUTPUT NONCE TEXT          from the harness: what the child wrote to its standard
 *                                       output and error, its first 64 KiB, \\ \n \xNN escaped
 *            DATA NONCE late=1 | flooded=1 | processes=N     from the harness
 *            END NONCE exit|signal|missing NUMBER    from the harness after it reaped the child;
 *                                       missing: no such case, two of that name, or no child
 *                                       could be had
 *   (the gate closes its end: the harness exits)
 *
 * The child closes what it inherited of the harness but the socket, which it moves to a number
 * that the seed chooses. The gate's end has SO_PASSCRED, so the kernel says of each line which
 * process sent it: OUTPUT and END count from the harness only, all the rest from the one process
 * that said BEGUN. What the case started and left behind is killed and counted before END, and the
 * file of its cells, $TOCSIN_DIR/PID-*.seg, removed. TICK 0 only lets the cells be looked at; a
 * BENCH says it at the end of its loop, while its objects are full.
 *
 * Everything that comes out of the sandbox is hostile: a pass is a CASE line with the right nonce
 * and name, state pass, followed by LAST and END exit 0, in that order, once. What remains possible
 * from inside one address space is said in THREATS.md.
 *
 * Keys of RUN (all numbers decimal):
 *   fail=N sticky=0|1    FAULT: the N-th allocation of the candidate fails, once or from then on
 *   size=N               BENCH: which size
 *   counter=perf|callgrind|none   BENCH: how instructions are counted
 *   threads=N run_ms=N sample_ms=N    STRESS
 *   leak=1               STRESS, CALM: what the candidate frees stays allocated
 *   deadlock=N           from the N-th on the candidate's locks are not given back
 *   slow_us=N            its allocations, locks, reads and writes take that much longer
 *   descriptor=1         what it closes stays open
 *   wall_ms=N            the child is killed after that long (END signal 9), DATA late=1 before it
 *
 * Keys of DATA:
 *   allocations=N        FAULT, BENCH, TEST: how many the candidate asked for (in the loop, BENCH)
 *   fired=N              FAULT: how many were made to fail; else: how often that fault struck
 *   broken=TEXT          the invariant did not hold, as last key: the rest of the line
 *   descriptors=N threads=N live_bytes=N     what the case left behind, after less before
 *   calls=N instructions=N ns=N peak_bytes=N loop_live_bytes=N   BENCH, of the loop; live bytes
 *                        of the candidate at the end of the loop
 *   at_ms=N live_bytes=N descriptors=N threads=N iterations=N    STRESS, each sample
 *   late=1               killed by the harness because wall_ms was over
 *   flooded=1            killed by the harness because it wrote more than 1 MiB
 *   processes=N          that it left behind
 * Of a FAULT, fired=1 comes when the first one fires, and all of it at the end: a case may crash.
 *
 * Under callgrind the loop switches collection on and off, and instructions are the totals of the
 * file that callgrind writes for that process when it ends.
 */
#ifndef CASE_WIRE_H
#define CASE_WIRE_H

enum {
        WIRE_FD = 3,
        wire_line_max = 4096,   /* bytes of one message */
        wire_nonce_length = 32, /* hexadecimal digits */
};

#endif
