/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks names up as any program does, and prints the first address of each family, one in a line: "6 fd00:1::1". */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void print_first(const struct addrinfo *list, int family)
{
	char text[INET6_ADDRSTRLEN];

	while (list && list->ai_family != family)
		list = list->ai_next;
	if (!list)
		return;
	if (family == AF_INET)
		inet_ntop(family, &((const struct sockaddr_in *)list->ai_addr)->sin_addr, text,
			sizeof(text));
	else
		inet_ntop(family, &((const struct sockaddr_in6 *)list->ai_addr)->sin6_addr, text,
			sizeof(text));
	printf("%d %s\n", family == AF_INET ? 4 : 6, text);
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	if (argc != 3) {
		fputs("usage: getaddrinfo NAME TIMES\n", stderr);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < atoi(argv[2]); i++) {
		struct addrinfo *list;
		const int status = getaddrinfo(argv[1], "80", &hints, &list);

		if (status) {
			fprintf(stderr, "%s: %s\n", argv[1], gai_strerror(status));
			return EXIT_FAILURE;
		}
		print_first(list, AF_INET);
		print_first(list, AF_INET6);
		freeaddrinfo(list);
	}
	return EXIT_SUCCESS;
}
