/* A stream both ways: answers with its body in capitals, as it comes, however long it is.
 *
 *   clang --target=wasm32-wasi -O2 -s -o upper.wasm upper.c
 *   mayfly deploy upper upper.wasm
 *   curl -N -T - http://127.0.0.1:4747/fn/upper
 */

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

static char buffer[65536];

int main(void) {
  printf("Content-Type: text/plain\n\n");
  ssize_t bytes;
  /* Gives what has come; fread would wait until the buffer is full. */
  while ((bytes = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < bytes; at += 1) buffer[at] = toupper((unsigned char)buffer[at]);
    fwrite(buffer, 1, bytes, stdout);
    fflush(stdout);
  }
  return bytes < 0;
}
