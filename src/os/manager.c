/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/manager.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void send_state(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const size_t size = name ? strlen(name) : 0;
	int fd;

	if (size == 0 || size >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, name, size);
	if (name[0] == '@') /* a name without a file, which no NUL ends */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
	close(fd);
}

void manager_tell(const char *format, ...)
{
	char state[MANAGER_TOLD_MAX];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(state, sizeof state, format, list);
	va_end(list);
	send_state(state);
}
