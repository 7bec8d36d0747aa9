/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - the commands of tocsin: one function and one file each.
 *
 * argv[0] is the command's own name. The result is the exit status (base/error.h). Everything is
 * said by the command: results on standard output, words about them on standard error.
 *
 * To add one: a file here with a function cmd_NAME, its prototype below, a row in main.c's table,
 * its file in meson.build. tests/run/cli.py then checks that it has help.
 *
 * Ownership: argv is reordered and must outlive the call. Threads: the main one. Limits: none.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

int cmd_diff(int argc, char **argv);
int cmd_forge(int argc, char **argv);
int cmd_gate(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_new(int argc, char **argv);

#endif
