/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook.h - alerts as HTTP requests: POST, application/json, one event each.
 *
 * 2xx is delivered. 429, 5xx and a failing network are tried again; any other answer gives that
 * event up. Redirects are not followed: an alert goes where it was told to go.
 *
 * Ownership: the receiver is the caller's. Errors: -EINVAL: no http:// or https:// address, and
 * `why` says so; -ENOMEM. Threads: made by one before others run, as curl_global_init() wants.
 * Limits:    2 s to connect, 5 s a request, 64 KiB of an answer are read and dropped.
 */
#ifndef WATCH_WEBHOOK_H
#define WATCH_WEBHOOK_H

#include "watch/receiver.h"

int webhook_new(const char *url, struct receiver **ret_receiver, struct text *why);

#endif
