// wasi:http 0.2: the request that a component handles, the response it makes, and requests of its own.

import { bad, done, failed, good, option, type Result, result, tuple, variant } from "./compound-types.ts";
import { Fields, type HeaderFault } from "./fields.ts";
import { func, type HostFunction, type Interface, waitingFunc } from "./host-function.ts";
import { FutureTrailers, IncomingBody, OutgoingBody } from "./http-bodies.ts";
import { type ErrorCode, errorCode, method, methodOf, scheme, schemeOf } from "./http-values.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { FutureResponse, IncomingResponse, OutgoingRequest, RequestOptions } from "./outgoing-request.ts";
import { OutgoingResponse, ResponseOutparam } from "./outgoing-response.ts";
import { borrow, own } from "./resources.ts";
import { alwaysReady, InputStream, OutputStream, Pollable, StreamFault } from "./streams.ts";
import { bool, bytes, list, string, u16, u64, type ValueType } from "./value-types.ts";

const headerError = variant({ "invalid-syntax": null, forbidden: null, immutable: null });
const entry = tuple(string, bytes);
const fields = borrow(Fields);

const bytesOf = (value: string): Uint8Array => Buffer.from(value, "latin1");
const told = (fault: HeaderFault | null) => (fault === null ? done : bad(fault));

const fieldFunctions: Readonly<Record<string, HostFunction>> = {
  "[constructor]fields": func([], own(Fields), ({ call }) => new Fields(call.keep)),
  "[static]fields.from-list": func([list(entry)], result(own(Fields), headerError), ({ call }, entries) => {
    const made = new Fields(call.keep);
    for (const [name, value] of entries) {
      const fault = made.append(name, value);
      if (fault === null) continue;
      made.dropped();
      return bad(fault);
    }
    return good(made);
  }),
  "[method]fields.get": func([fields, string], list(bytes), (_guest, of, name) => of.get(name).map(bytesOf)),
  "[method]fields.has": func([fields, string], bool, (_guest, of, name) => of.get(name).length > 0),
  "[method]fields.set": func(
    [fields, string, list(bytes)],
    result(null, headerError),
    (_guest, of, name, values) => told(of.set(name, values)),
  ),
  "[method]fields.delete": func([fields, string], result(null, headerError), (_guest, of, name) =>
    told(of.set(name, [])),
  ),
  "[method]fields.append": func(
    [fields, string, bytes],
    result(null, headerError),
    (_guest, of, name, value) => told(of.append(name, value)),
  ),
  "[method]fields.entries": func([fields], list(entry), (_guest, of) =>
    of.entries.map(([name, value]) => [name, bytesOf(value)] as const),
  ),
  "[method]fields.clone": func([fields], own(Fields), ({ call }, of) => new Fields(call.keep, of.entries)),
};

/** The body or stream, or nothing when it has been taken. */
const once = <value>(value: value | null): Result<value, undefined> =>
  value === null ? failed : good(value);

const request = borrow(IncomingRequest);

const requestFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]incoming-request.method": func([request], method, (_guest, of) => methodOf(of.method)),
  "[method]incoming-request.path-with-query": func(
    [request],
    option(string),
    (_guest, of) => of.pathWithQuery,
  ),
  "[method]incoming-request.scheme": func([request], option(scheme), (_guest, of) => schemeOf(of.scheme)),
  "[method]incoming-request.authority": func([request], option(string), (_guest, of) => of.authority),
  "[method]incoming-request.headers": func([request], own(Fields), ({ call }, of) => of.headers(call.keep)),
  "[method]incoming-request.consume": func([request], result(own(IncomingBody), null), (_guest, of) =>
    once(of.consume()),
  ),
};

const response = borrow(OutgoingResponse);
const sent = result(null, errorCode);

const responseFunctions: Readonly<Record<string, HostFunction>> = {
  "[static]response-outparam.set": waitingFunc(
    [own(ResponseOutparam), result(own(OutgoingResponse), errorCode)],
    null,
    ({ call }, _outparam, answer) =>
      call.answer(answer.tag === "ok" ? { response: answer.value } : { error: answer.value.tag }),
  ),
  "[method]response-outparam.send-informational": func(
    [borrow(ResponseOutparam), u16, own(Fields)],
    sent,
    (_guest, _outparam, _status, of) => {
      of.dropped();
      return bad({ tag: "internal-error", value: "informational responses are not sent" });
    },
  ),
  "[constructor]outgoing-response": func(
    [own(Fields)],
    own(OutgoingResponse),
    ({ call }, of) => new OutgoingResponse(call.keep, of),
  ),
  "[method]outgoing-response.status-code": func([response], u16, (_guest, { status }) => status),
  "[method]outgoing-response.set-status-code": func(
    [response, u16],
    result(null, null),
    (_guest, of, status) => {
      if (status < 100 || status > 999) return failed;
      of.status = status;
      return done;
    },
  ),
  "[method]outgoing-response.headers": func([response], own(Fields), (_guest, of) => of.headers()),
  "[method]outgoing-response.body": func([response], result(own(OutgoingBody), null), (_guest, of) =>
    once(of.body()),
  ),
  "[method]outgoing-body.write": func([borrow(OutgoingBody)], result(own(OutputStream), null), (_guest, of) =>
    once(of.write()),
  ),
  "[static]outgoing-body.finish": func(
    [own(OutgoingBody), option(own(Fields))],
    sent,
    (_guest, of, trailers) => {
      trailers?.dropped();
      of.finish();
      return done;
    },
  ),
};

const bodyFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]incoming-body.stream": func([borrow(IncomingBody)], result(own(InputStream), null), (_guest, of) =>
    once(of.stream()),
  ),
  "[static]incoming-body.finish": func([own(IncomingBody)], own(FutureTrailers), (_guest, of) => {
    of.dropped();
    return new FutureTrailers();
  }),
  "[method]future-trailers.subscribe": func([borrow(FutureTrailers)], own(Pollable), () => alwaysReady),
  "[method]future-trailers.get": func(
    [borrow(FutureTrailers)],
    option(result(result(option(own(Fields)), errorCode), null)),
    (_guest, of) => {
      if (of.taken) return failed;
      of.taken = true;
      return good(good(undefined));
    },
  ),
  "http-error-code": func(
    [borrow(StreamFault)],
    option(errorCode),
    (_guest, { message }): ErrorCode => ({
      tag: "internal-error",
      value: message,
    }),
  ),
};

const sending = borrow(OutgoingRequest);

/** A pair of functions that read and set what a guest may set freely. */
function property<value, owner extends object>(
  owner: ValueType<owner>,
  type: ValueType<value>,
  get: (owner: owner) => value,
  set: (owner: owner, value: value) => void,
): readonly [get: HostFunction, set: HostFunction] {
  return [
    func([owner], type, (_guest, of) => get(of)),
    func([owner, type], result(null, null), (_guest, of, value) => {
      set(of, value);
      return done;
    }),
  ];
}

function properties(
  owner: string,
  pairs: Readonly<Record<string, readonly [get: HostFunction, set: HostFunction]>>,
): Record<string, HostFunction> {
  return Object.fromEntries(
    Object.entries(pairs).flatMap(([name, [get, set]]) => [
      [`[method]${owner}.${name}`, get],
      [`[method]${owner}.set-${name}`, set],
    ]),
  );
}

const outgoingFunctions: Readonly<Record<string, HostFunction>> = {
  "[constructor]outgoing-request": func(
    [own(Fields)],
    own(OutgoingRequest),
    ({ call }, of) => new OutgoingRequest(call.keep, of),
  ),
  "[method]outgoing-request.body": func([sending], result(own(OutgoingBody), null), (_guest, of) =>
    once(of.body()),
  ),
  "[method]outgoing-request.headers": func([sending], own(Fields), (_guest, of) => of.fields.frozen()),
  ...properties("outgoing-request", {
    method: property(
      sending,
      method,
      (of) => of.method,
      (of, value) => {
        of.method = value;
        of.counted();
      },
    ),
    "path-with-query": property(
      sending,
      option(string),
      (of) => of.pathWithQuery,
      (of, value) => {
        of.pathWithQuery = value;
        of.counted();
      },
    ),
    scheme: property(
      sending,
      option(scheme),
      (of) => of.scheme,
      (of, value) => {
        of.scheme = value;
        of.counted();
      },
    ),
    authority: property(
      sending,
      option(string),
      (of) => of.authority,
      (of, value) => {
        of.authority = value;
        of.counted();
      },
    ),
  }),
};

const options = borrow(RequestOptions);
const received = borrow(IncomingResponse);

const optionFunctions: Readonly<Record<string, HostFunction>> = {
  "[constructor]request-options": func([], own(RequestOptions), () => new RequestOptions()),
  ...properties("request-options", {
    "connect-timeout": property(
      options,
      option(u64),
      (of) => of.connectTimeout,
      (of, value) => {
        of.connectTimeout = value;
      },
    ),
    "first-byte-timeout": property(
      options,
      option(u64),
      (of) => of.firstByteTimeout,
      (of, value) => {
        of.firstByteTimeout = value;
      },
    ),
    "between-bytes-timeout": property(
      options,
      option(u64),
      (of) => of.betweenBytesTimeout,
      (of, value) => {
        of.betweenBytesTimeout = value;
      },
    ),
  }),
};

const receivedFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]incoming-response.status": func([received], u16, (_guest, { status }) => status),
  "[method]incoming-response.headers": func([received], own(Fields), ({ call }, of) => of.headers(call.keep)),
  "[method]incoming-response.consume": func([received], result(own(IncomingBody), null), (_guest, of) =>
    once(of.consume()),
  ),
  "[method]future-incoming-response.subscribe": func([borrow(FutureResponse)], own(Pollable), (_guest, of) =>
    of.subscribe(),
  ),
  "[method]future-incoming-response.get": func(
    [borrow(FutureResponse)],
    option(result(result(own(IncomingResponse), errorCode), null)),
    (_guest, of) => of.get(),
  ),
};

export const types: Interface = {
  resources: [
    "fields",
    "incoming-request",
    "outgoing-request",
    "request-options",
    "response-outparam",
    "incoming-response",
    "incoming-body",
    "future-trailers",
    "outgoing-response",
    "outgoing-body",
    "future-incoming-response",
  ],
  functions: {
    ...fieldFunctions,
    ...requestFunctions,
    ...responseFunctions,
    ...bodyFunctions,
    ...outgoingFunctions,
    ...optionFunctions,
    ...receivedFunctions,
  },
};

export const outgoingHandler: Interface = {
  resources: [],
  functions: {
    handle: func(
      [own(OutgoingRequest), option(own(RequestOptions))],
      result(own(FutureResponse), errorCode),
      ({ call }, outgoing, given) => good(new FutureResponse(call, outgoing, given?.timeoutMs ?? 0)),
    ),
  },
};
