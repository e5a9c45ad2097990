/* A function in C: a program that runs once for each request, as CGI has it (docs/languages.md).
 *
 *   clang --target=wasm32-wasi -O2 -s -o hello.wasm hello.c
 *   mayfly deploy hello-c hello.wasm
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  const char *query = getenv("QUERY_STRING");
  const char *name = query != NULL && strncmp(query, "name=", 5) == 0 ? query + 5 : "world";
  printf("Content-Type: text/plain; charset=utf-8\n\nHello, %s!", name);
  return 0;
}
