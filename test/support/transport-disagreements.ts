/**
 * Where our transport reads bytes differently from another parser, on purpose. The differential tests allow these
 * differences and no others, show each with its example, and docs/spec/http.md has the same list.
 */
export interface Disagreement {
  readonly what: string;
  readonly theirs: string;
  readonly ours: string;
  readonly because: string;
  /** `RFC 9112 3.2`. */
  readonly source: string;
  /** Bytes that show it, as latin1. */
  readonly example: string;
}

/** Ours refuses, the other does not. `says`: our reason. */
export interface Stricter extends Disagreement {
  readonly says: RegExp;
}
/** The other refuses, ours does not. `bytes`: of the whole input. */
export interface Laxer extends Disagreement {
  readonly bytes: RegExp;
}

const TAB_BESIDE_LENGTH = {
  what: 'a tab behind a Content-Length',
  theirs: 'refuses',
  ours: 'reads the length',
  because: 'a tab is optional whitespace like a blank, and no part of the value',
  source: 'RFC 9110 5.5, 5.6.3',
  bytes: /content-length:[^\r]*\t/i,
} as const;

const EXTENSION_WITHOUT_VALUE = {
  what: 'a chunk extension with an empty value: `5;a=`',
  theirs: 'ignores it',
  because: 'a value is a token or a quoted string, and neither is empty',
  source: 'RFC 9112 7.1.1',
  says: /Invalid chunk extension/,
} as const;

/** Requests that `node:http` serves, and so does `server.http: node`. */
export const STRICTER_REQUESTS: readonly Stricter[] = [
  {
    what: 'a Host that is no host and port: `a b`, `a/b`',
    theirs: 'serves it',
    ours: '400',
    because: 'routes are chosen by Host, and one that is none must be refused',
    source: 'RFC 9112 3.2',
    says: /Host is not a host and port/,
    example: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
  },
  {
    what: 'more than one blank between the parts of the request line',
    theirs: 'skips the others',
    ours: '400',
    because: 'two parsers in a row that skip differently see two targets',
    source: 'RFC 9112 3',
    says: /one blank apart/,
    example: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    ...EXTENSION_WITHOUT_VALUE,
    ours: '400',
    example:
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\r\nhello\r\n0\r\n\r\n',
  },
  {
    what: 'several Expect fields of which only the first is `100-continue`',
    theirs: 'looks at the first',
    ours: '400',
    because: 'fields of one name are one list, and the list expects something else too',
    source: 'RFC 9110 5.3, 10.1.1',
    says: /the only expectation/,
    example:
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nExpect: x\r\n\r\nhello',
  },
  {
    what: 'a bare CR or LF before a request',
    theirs: 'skips it',
    ours: '400; an empty line (CRLF) is skipped',
    because: 'only CRLF may stand there; a lone one is the rest of a body that was cut wrongly',
    source: 'RFC 9112 2.2',
    says: /an empty line/,
    example: '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  },
];

/** Requests that `node:http` refuses. */
export const LAXER_REQUESTS: readonly Laxer[] = [
  {
    ...TAB_BESIDE_LENGTH,
    example: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\t\r\n\r\nhello',
  },
];

/** Requests that bare `node:http` serves and neither of our transports does: checks that it leaves to its user. */
export const REFUSED_BY_BOTH: readonly Disagreement[] = [
  {
    what: 'two Host fields',
    theirs: 'serves it with the first',
    ours: '400',
    because: 'a server must refuse it: the next one may take the other',
    source: 'RFC 9112 3.2',
    example: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  },
  {
    what: 'a target that is a whole URL (absolute-form)',
    theirs: 'serves it',
    ours: '400',
    because:
      'it has a host of its own beside Host; the RFC asks servers to take it, but only a client of a forward proxy sends it',
    source: 'RFC 9112 3.2.2',
    example: 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    what: 'the target `*` of OPTIONS',
    theirs: 'serves it',
    ours: '400',
    because: 'it is about the server and not about a route, and there is nothing to forward',
    source: 'RFC 9112 3.2.4',
    example: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    what: 'a fragment in the target: `/a#b`',
    theirs: 'serves it',
    ours: '400',
    because: 'no target has one; who cuts it off sees another path',
    source: 'RFC 9112 3.2.1',
    example: 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  {
    what: 'HTTP/2.0 and HTTP/0.9 on the request line',
    theirs: 'serves it as HTTP/1.1',
    ours: '400',
    because: 'another major version is framed in another way',
    source: 'RFC 9110 2.5',
    example: 'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
  },
  {
    what: 'Upgrade to anything but h2c',
    theirs: 'ignores it',
    ours: '400; h2c is ignored',
    because: 'a client that asks for another protocol waits for it: no is an answer',
    source: 'RFC 9110 7.8',
    example: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  },
  {
    what: 'chunks in HTTP/1.0',
    theirs: 'reads them',
    ours: '400',
    because: 'HTTP/1.0 has none, so the framing is faulty',
    source: 'RFC 9112 6.1',
    example: 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  {
    what: 'a Transfer-Encoding other than `chunked`: `gzip, chunked`',
    theirs: 'passes the coded body on',
    ours: '400',
    because: 'it belongs to the connection, and nothing here decodes it',
    source: 'RFC 9112 6.1',
    example: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  },
  {
    what: 'more than 200 fields',
    theirs: 'serves it',
    ours: '431',
    because: 'every later pass over the fields stays short',
    source: 'RFC 6585 5',
    example: `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(200)}\r\n`,
  },
];

/** Answers of upstreams that undici, with llhttp inside, takes for whole. */
export const STRICTER_ANSWERS: readonly Stricter[] = [
  {
    what: 'a Transfer-Encoding that is not `chunked`, comes twice, or comes in HTTP/1.0',
    theirs: 'reads to the end of the connection, or chunks',
    ours: 'the call fails',
    because: 'a body of unknown coding has no certain end',
    source: 'RFC 9112 6.3',
    says: /Transfer-Encoding other than chunked|HTTP\/1.0 with Transfer-Encoding|came twice/,
    example: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  },
  {
    what: 'a status line of another version, or with a control character',
    theirs: 'reads it as HTTP/1.1',
    ours: 'the call fails',
    because: 'what is not HTTP/1 is framed in another way',
    source: 'RFC 9112 4',
    says: /Invalid status line/,
    example: 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  {
    ...EXTENSION_WITHOUT_VALUE,
    ours: 'the call fails',
    example: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\r\nhello\r\n0\r\n\r\n',
  },
  {
    what: 'a 1xx of HTTP/1.0',
    theirs: 'skips it when the connection is kept',
    ours: 'the call fails',
    because: 'HTTP/1.0 has no interim answers, and a server must not send one',
    source: 'RFC 9110 15.2',
    says: /an interim answer of HTTP\/1\.0/,
    example:
      'HTTP/1.0 103 Hints\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  {
    what: 'a Transfer-Encoding in the trailers',
    theirs: 'ignores it',
    ours: 'the call fails',
    because: 'what frames a message cannot come behind it',
    source: 'RFC 9110 6.5.1',
    says: /that frames a message in the trailers/,
    example:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
  },
];

/** Answers of upstreams that undici fails for reasons of its own. */
export const LAXER_ANSWERS: readonly Laxer[] = [
  {
    what: 'a 100 that was not asked for',
    theirs: 'the call fails',
    ours: 'skips it and reads the answer',
    because: 'a client must be ready for any 1xx and may ignore it',
    source: 'RFC 9110 15.2',
    bytes: /HTTP\/1\.1 100/,
    example: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  {
    what: 'a 204 or 304 with a Content-Length that is not 0',
    theirs: 'misses the body, and the call fails',
    ours: 'reads an answer without a body',
    because: 'neither has a body; a 304 tells the length that a 200 would have',
    source: 'RFC 9110 8.6, RFC 9112 6.3',
    bytes: / (?:204|304)[^]*content-length:/i,
    example: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  },
  {
    ...TAB_BESIDE_LENGTH,
    theirs: 'the call fails',
    example: 'HTTP/1.1 200 OK\r\nContent-Length: 5\t\r\n\r\nhello',
  },
];
