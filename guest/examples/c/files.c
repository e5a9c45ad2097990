/* What a program finds around it: its request, the files its version carries, a /tmp of its own.
 *
 *   clang --target=wasm32-wasi -O2 -o files.wasm files.c
 *   mayfly deploy files files.wasm --files www
 *
 * GET answers with the file that the path names; POST counts the lines of the body by way of a file in /tmp;
 * anything else exits with code 1.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int serve(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    printf("Status: 404 Not Found\nContent-Type: text/plain\n\nno such file\n");
    return 0;
  }
  printf("Content-Type: text/plain; charset=utf-8\n\n");
  char buffer[4096];
  size_t bytes;
  while ((bytes = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, bytes, stdout);
  return fclose(file);
}

static int count(void) {
  FILE *file = fopen("/tmp/body", "w+");
  if (file == NULL) return 1;
  int byte;
  while ((byte = getchar()) != EOF) putc(byte, file);
  rewind(file);
  int lines = 0;
  while ((byte = getc(file)) != EOF) lines += byte == '\n';
  printf("Content-Type: text/plain\n\n%d lines\n", lines);
  return fclose(file);
}

int main(void) {
  const char *method = getenv("REQUEST_METHOD");
  const char *path = getenv("PATH_INFO");
  if (method != NULL && strcmp(method, "GET") == 0) return serve(path != NULL ? path : "/");
  if (method != NULL && strcmp(method, "POST") == 0) return count();
  fprintf(stderr, "method not known\n");
  return 1;
}
