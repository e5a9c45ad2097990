;; The greeting as a core module for the interfaces of wasi:http 0.2.0: the source of hello-component.ts,
;; which the peers serve that take components alone (wasmtime, Spin). It takes what follows "?name=" as it
;; stands, so it has less to do than the function that all others serve.
;;
;; Made into a component, with `componentEmbed` and `componentNew` of @bytecodealliance/jco, for the world
;;   import wasi:http/types@0.2.0; import wasi:io/streams@0.2.0; export wasi:http/incoming-handler@0.2.0;
(module
  (import "wasi:http/types@0.2.0" "[method]incoming-request.path-with-query" (func $path_with_query (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[resource-drop]incoming-request" (func $drop_request (param i32)))
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.0" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func $body (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[static]response-outparam.set"
    (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $write (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $flush (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop_stream (param i32)))
  (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "content-type")
  (data (i32.const 32) "text/plain; charset=utf-8")
  (data (i32.const 64) "?name=")
  ;; The greeting is built here, the results of calls are taken at 128.
  (data (i32.const 4096) "Hello, ")
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $bytes)))
    (local.get $at))
  ;; Where the name begins in the text, or its end.
  (func $name_at (param $at i32) (param $end i32) (result i32)
    (local $k i32)
    (block $none
      (loop $next
        (br_if $none (i32.gt_u (i32.add (local.get $at) (i32.const 6)) (local.get $end)))
        (local.set $k (i32.const 0))
        (block $differs
          (loop $compare
            (br_if $differs
              (i32.ne
                (i32.load8_u (i32.add (local.get $at) (local.get $k)))
                (i32.load8_u offset=64 (local.get $k))))
            (local.set $k (i32.add (local.get $k) (i32.const 1)))
            (br_if $compare (i32.lt_u (local.get $k) (i32.const 6))))
          (return (i32.add (local.get $at) (i32.const 6))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $end))
  (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $request i32) (param $out i32)
    (local $end i32) (local $name i32) (local $bytes i32)
    (local $headers i32) (local $answer i32) (local $to i32) (local $stream i32)
    (call $path_with_query (local.get $request) (i32.const 128))
    (local.set $end (i32.add (i32.load (i32.const 132)) (i32.load (i32.const 136))))
    (local.set $name (call $name_at (i32.load (i32.const 132)) (local.get $end)))
    (local.set $bytes (i32.sub (local.get $end) (local.get $name)))
    (memory.copy (i32.const 4103) (local.get $name) (local.get $bytes))
    (i32.store8 (i32.add (i32.const 4103) (local.get $bytes)) (i32.const 33))
    (call $drop_request (local.get $request))
    (local.set $headers (call $fields))
    (call $append (local.get $headers) (i32.const 16) (i32.const 12) (i32.const 32) (i32.const 25) (i32.const 128))
    (local.set $answer (call $response (local.get $headers)))
    (call $body (local.get $answer) (i32.const 128))
    (local.set $to (i32.load (i32.const 132)))
    (call $set (local.get $out) (i32.const 0) (local.get $answer)
      (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $write (local.get $to) (i32.const 128))
    (local.set $stream (i32.load (i32.const 132)))
    (call $flush (local.get $stream) (i32.const 4096) (i32.add (local.get $bytes) (i32.const 8)) (i32.const 128))
    (call $drop_stream (local.get $stream))
    (call $finish (local.get $to) (i32.const 0) (i32.const 0) (i32.const 128))))
