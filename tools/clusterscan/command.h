/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command: the subcommands of clusterscan, one file each.
 * Every one gets argv[0] = "clusterscan NAME" and its own arguments, parses them with argp (--help
 * with examples) and returns the exit code of the program. */
#ifndef TOOLS_CLUSTERSCAN_COMMAND_H
#define TOOLS_CLUSTERSCAN_COMMAND_H

int command_run(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_graph(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_feed(int argc, char **argv);
int command_status(int argc, char **argv);
int command_report(int argc, char **argv);
int command_plot(int argc, char **argv);
int command_events(int argc, char **argv);
int command_states(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_reference(int argc, char **argv);

#endif
