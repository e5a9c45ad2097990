// Says hello to ?name=, as a component: the functions of wasi:http as the canonical ABI has them in C, by hand.
// docs/languages.md says how it is built.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(interface, name) __attribute__((import_module(interface "@0.2.10"), import_name(name)))
#define TYPES "wasi:http/types"
#define STREAMS "wasi:io/streams"

typedef int32_t handle;
typedef struct { const char *at; size_t bytes; } text;
typedef struct { text name; text value; } field;

IMPORT(TYPES, "[method]incoming-request.path-with-query") void request_path(handle request, void *option);
IMPORT(TYPES, "[resource-drop]incoming-request") void request_drop(handle request);
IMPORT(TYPES, "[static]fields.from-list") void fields_from(const field *fields, size_t count, void *result);
IMPORT(TYPES, "[constructor]outgoing-response") handle response_new(handle fields);
IMPORT(TYPES, "[method]outgoing-response.body") void response_body(handle response, void *result);
IMPORT(TYPES, "[static]response-outparam.set")
void answer_set(handle out, int32_t is_error, int32_t response, int32_t, int64_t, int32_t, int32_t, int32_t, int32_t);
IMPORT(TYPES, "[method]outgoing-body.write") void body_write(handle body, void *result);
IMPORT(TYPES, "[static]outgoing-body.finish") void body_finish(handle body, int32_t, int32_t, void *result);
IMPORT(STREAMS, "[method]output-stream.check-write") void stream_room(handle stream, void *result);
IMPORT(STREAMS, "[method]output-stream.write") void stream_write(handle stream, const void *, size_t, void *result);
IMPORT(STREAMS, "[method]output-stream.blocking-flush") void stream_flush(handle stream, void *result);
IMPORT(STREAMS, "[resource-drop]output-stream") void stream_drop(handle stream);

// Where results lie: whether it is an error, then, aligned, the value.
static struct { _Alignas(8) uint8_t is_error; _Alignas(4) union { handle handle; text text; } value; uint8_t more[32]; } result;
static struct { _Alignas(8) uint8_t is_error; uint64_t bytes; } room;

static handle ok(void) {
  if (result.is_error) abort();
  return result.value.handle;
}

static void write_all(handle stream, const char *at, size_t bytes) {
  while (bytes > 0) {
    stream_room(stream, &room);
    if (room.is_error) abort();
    size_t part = room.bytes < bytes ? (size_t)room.bytes : bytes;
    if (part == 0) stream_flush(stream, &result);
    else stream_write(stream, at, part, &result);
    ok();
    at += part;
    bytes -= part;
  }
  stream_flush(stream, &result);
  ok();
}

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t had, size_t align, size_t bytes) {
  (void)had;
  (void)align;
  return realloc(old, bytes);
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.10#handle")))
void handle_request(handle request, handle out) {
  // An option: whether there is one, then the text, which is ours to free.
  request_path(request, &result);
  text path = result.is_error ? result.value.text : (text){ "", 0 };
  const char *end = path.at + path.bytes;
  const char *name = memchr(path.at, '?', path.bytes);
  name = name != NULL && (size_t)(end - name) > 6 && memcmp(name, "?name=", 6) == 0 ? name + 6 : NULL;
  char hello[1024];
  int bytes = name == NULL ? snprintf(hello, sizeof hello, "Hello, world!")
                           : snprintf(hello, sizeof hello, "Hello, %.*s!", (int)(end - name), name);
  if (bytes >= (int)sizeof hello) bytes = sizeof hello - 1;
  if (path.bytes > 0) free((void *)path.at);

  static const field type = { { "content-type", 12 }, { "text/plain; charset=utf-8", 25 } };
  fields_from(&type, 1, &result);
  handle response = response_new(ok());
  response_body(response, &result);
  handle body = ok();
  answer_set(out, 0, response, 0, 0, 0, 0, 0, 0);
  body_write(body, &result);
  handle stream = ok();
  write_all(stream, hello, bytes);
  stream_drop(stream);
  body_finish(body, 0, 0, &result);
  if (result.is_error) abort();
  request_drop(request);
}
