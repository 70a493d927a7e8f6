/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* A TCP thread that listens on the loopback, with a service that grants wishes, and those who connect to it. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tick.h"
#include "config/config.h"
#include "dns/tcp.h"

#define CONNECTIONS_MAX 8
#define CLIENT_MAX      4

struct world {
	struct tcp *tcp;
	struct config_endpoint endpoint;
	_Atomic uint32_t streams_ended;
};

/* The thread with such patience, that listens nowhere yet: 0 or negative errno. */
int start(struct world *w, tick patience);

/* The same, listening at 127.0.0.1. */
void open_world(struct world *w);
void open_world_of(struct world *w, tick patience);

/* Where nobody is closed for having waited, however busy the machine is. */
void open_patient_world(struct world *w);

/* A listening socket; its port is the kernel's to choose. */
int listen_at(const char *address, struct config_endpoint *ret_endpoint);

/* Makes the thread listen at it. */
void give(struct world *w, int fd);

struct sockaddr_in here(const struct world *w);
int connect_to(int fd, const struct world *w);

/* A connection from 127.0.0.@host. */
int join(const struct world *w, uint32_t host);

/* The same with room for so many bytes that nobody has read; 0: as the kernel likes. */
int join_with_room(const struct world *w, uint32_t host, int room);

/* The same with some of a stream that does not end soon. */
int join_and_stream(const struct world *w, uint32_t host);

void put(int fd, const void *bytes, size_t size);

/* The next @size bytes; false if the connection ends before. */
bool get(int fd, uint8_t *bytes, size_t size);

/* The next message's size; 0 if the connection ends. */
size_t get_message(int fd, uint8_t message[static 65535]);

/* Whether it is answered. */
bool is_alive(int fd);

/* Whether the other end closes within @ms. */
bool is_closed_within(int fd, int ms);
