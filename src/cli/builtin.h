/*
 * builtin.h - the commands that are more than one call of a route.
 */
#ifndef CLI_BUILTIN_H
#define CLI_BUILTIN_H

#include "cli/command.h"

/* Log in, make a token, keep it in the profile. */
enum rc builtin_login(struct run *run);
/* Revoke the profile's token and forget it. */
enum rc builtin_logout(struct run *run);
/* Accept an invitation link, then log in. */
enum rc builtin_setup(struct run *run);
enum rc builtin_profile_list(struct run *run);
enum rc builtin_profile_use(struct run *run);
enum rc builtin_profile_remove(struct run *run);
/* Whether a profile of services is right: its line and field, where not. */
enum rc builtin_profile_check(struct run *run);
/* Server, version, who you are. */
enum rc builtin_status(struct run *run);
enum rc builtin_version(struct run *run);
/* Close a month, and watch it with --wait. */
enum rc builtin_close(struct run *run);
/* Follow the events until the user stops it. */
enum rc builtin_events(struct run *run);
/* Play one of the mission's cases on a server of its own. */
enum rc builtin_demo(struct run *run);
/* The whole story with real parts, on the server that is logged in to. */
enum rc builtin_demo_live(struct run *run);
/* What a business with servers costs and brings; asks no server. */
enum rc builtin_plan(struct run *run);
/* Report what was used: a file of events, in batches. */
enum rc builtin_usage_send(struct run *run);
/* Send an image in pieces, and register it. */
enum rc builtin_image_add(struct run *run);
/* Convert a machine's disk of another house, and send what becomes of it. */
enum rc builtin_image_import(struct run *run);
/* A service, or a site, as other sites see it: by city and day, with charts. */
enum rc builtin_vantage(struct run *run);
/* Show what was done for a work order: a picture. */
enum rc builtin_workorder_photo(struct run *run);
enum rc builtin_help(struct run *run);
enum rc builtin_man(struct run *run);
enum rc builtin_completion(struct run *run);
/* Declarations and expressions of KRL as they are typed. */
enum rc builtin_krl(struct run *run);
/* Whether a ruleset compiles; its source in the house's layout; events and queries played to it. */
enum rc builtin_krl_check(struct run *run);
enum rc builtin_krl_fmt(struct run *run);
enum rc builtin_krl_run(struct run *run);
/* Picos of an engine: the tree, a new one, one with all below it away, a ruleset, an event, a
 * query, a channel, what was logged, a file from one and back. */
enum rc builtin_pico_list(struct run *run);
enum rc builtin_pico_new(struct run *run);
enum rc builtin_pico_delete(struct run *run);
enum rc builtin_pico_install(struct run *run);
enum rc builtin_pico_send(struct run *run);
enum rc builtin_pico_query(struct run *run);
enum rc builtin_pico_channel(struct run *run);
enum rc builtin_pico_log(struct run *run);
enum rc builtin_pico_suspend(struct run *run);
enum rc builtin_pico_resume(struct run *run);
enum rc builtin_pico_asides(struct run *run);
enum rc builtin_pico_again(struct run *run);
enum rc builtin_pico_forget(struct run *run);
enum rc builtin_pico_export(struct run *run);
enum rc builtin_pico_import(struct run *run);
enum rc builtin_pico_move(struct run *run);

#endif
