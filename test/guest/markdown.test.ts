// The markdown example against a table in the manner of the CommonMark specification, and against
// input that wants to run code in the reader's browser or never to end.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { callGuest } from "./guest-harness.ts";
import { exampleModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await exampleModule("markdown");
});

const render = (body: string): string => callGuest(module, { method: "POST", body }).text;

function table(rows: readonly (readonly [markdown: string, html: string])[]): void {
  for (const [markdown, html] of rows) {
    test(JSON.stringify(markdown), () => assert.equal(render(markdown), html));
  }
}

describe("headings and paragraphs:", () => {
  table([
    ["", ""],
    ["a", "<p>a</p>\n"],
    ["a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>\n"],
    ["a\r\nb", "<p>a\nb</p>\n"],
    ["   a", "<p>a</p>\n"],
    ["# a", "<h1>a</h1>\n"],
    ["###### a ##", "<h6>a</h6>\n"],
    ["####### a", "<p>####### a</p>\n"],
    ["#a", "<p>#a</p>\n"],
    ["#", "<h1></h1>\n"],
    ["## a#", "<h2>a#</h2>\n"],
    ["a\n===", "<h1>a</h1>\n"],
    ["a\nb\n---", "<h2>a\nb</h2>\n"],
    ["a\n# b", "<p>a</p>\n<h1>b</h1>\n"],
    ["---", "<hr>\n"],
    ["* * *", "<hr>\n"],
    ["___\na", "<hr>\n<p>a</p>\n"],
    ["--", "<p>--</p>\n"],
    ["a  \nb", "<p>a<br>\nb</p>\n"],
    ["a\\\nb", "<p>a<br>\nb</p>\n"],
    ["a \nb", "<p>a\nb</p>\n"],
  ]);
});

describe("emphasis:", () => {
  table([
    ["*a*", "<p><em>a</em></p>\n"],
    ["_a_", "<p><em>a</em></p>\n"],
    ["**a**", "<p><strong>a</strong></p>\n"],
    ["***a***", "<p><em><strong>a</strong></em></p>\n"],
    ["~~a~~", "<p><del>a</del></p>\n"],
    ["~a~", "<p>~a~</p>\n"],
    ["a*b*c", "<p>a<em>b</em>c</p>\n"],
    ["snake_case_name", "<p>snake_case_name</p>\n"],
    ["* a*", "<ul>\n<li>a*</li>\n</ul>\n"],
    ["a * b * c", "<p>a * b * c</p>\n"],
    ["*a **b** c*", "<p><em>a <strong>b</strong> c</em></p>\n"],
    ["**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>\n"],
    ["*foo**bar*", "<p><em>foo**bar</em></p>\n"],
    ["**a", "<p>**a</p>\n"],
    ["*a", "<p>*a</p>\n"],
    ["**a*", "<p>*<em>a</em></p>\n"],
    ["*a**", "<p><em>a</em>*</p>\n"],
    ["\\*a\\*", "<p>*a*</p>\n"],
    ["*a\\*", "<p>*a*</p>\n"],
    ["*a _b* c_", "<p><em>a _b</em> c_</p>\n"],
  ]);
});

describe("code:", () => {
  table([
    ["`a`", "<p><code>a</code></p>\n"],
    ["`` a`b ``", "<p><code>a`b</code></p>\n"],
    ["`a", "<p>`a</p>\n"],
    ["`*a*`", "<p><code>*a*</code></p>\n"],
    ["*a`*`", "<p>*a<code>*</code></p>\n"],
    ["`a\nb`", "<p><code>a b</code></p>\n"],
    ["`<b>`", "<p><code>&lt;b&gt;</code></p>\n"],
    ["```\na\n\n  b\n```", "<pre><code>a\n\n  b\n</code></pre>\n"],
    ["~~~js x\na\n~~~\nb", '<pre><code class="language-js">a\n</code></pre>\n<p>b</p>\n'],
    ["````\n```\n````", "<pre><code>```\n</code></pre>\n"],
    ["```\nnever closed", "<pre><code>never closed\n</code></pre>\n"],
    ["```\n```", "<pre><code></code></pre>\n"],
    ["    a\n\n    b", "<pre><code>a\n\nb\n</code></pre>\n"],
    ["\ta", "<pre><code>a\n</code></pre>\n"],
    ["a\n    b", "<p>a\nb</p>\n"],
  ]);
});

describe("lists:", () => {
  table([
    ["- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"],
    ["1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n"],
    ["3) a", '<ol start="3">\n<li>a</li>\n</ol>\n'],
    ["- a\n\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>\n"],
    ["- a\n  - b\n    - c", "<ul>\n<li>a\n<ul>\n<li>b\n<ul>\n<li>c</li>\n</ul></li>\n</ul></li>\n</ul>\n"],
    ["1. a\n   - b\n2. c", "<ol>\n<li>a\n<ul>\n<li>b</li>\n</ul></li>\n<li>c</li>\n</ol>\n"],
    ["- a\n\n  b", "<ul>\n<li><p>a</p>\n<p>b</p></li>\n</ul>\n"],
    ["- a\nb", "<ul>\n<li>a\nb</li>\n</ul>\n"],
    ["- a\n+ b", "<ul>\n<li>a</li>\n</ul>\n<ul>\n<li>b</li>\n</ul>\n"],
    ["- a\n\nb", "<ul>\n<li>a</li>\n</ul>\n<p>b</p>\n"],
    ["-a", "<p>-a</p>\n"],
    ["-\n- b", "<ul>\n<li></li>\n<li>b</li>\n</ul>\n"],
    ["- ```\n  a\n\n  b\n  ```", "<ul>\n<li><pre><code>a\n\nb\n</code></pre></li>\n</ul>\n"],
    ["a\n- b", "<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n"],
    ["the year was\n1984. It rained", "<p>the year was\n1984. It rained</p>\n"],
    ["- *a*\n- `b`", "<ul>\n<li><em>a</em></li>\n<li><code>b</code></li>\n</ul>\n"],
    ["- > a", "<ul>\n<li><blockquote>\n<p>a</p>\n</blockquote></li>\n</ul>\n"],
    ["- a\n---\n- b", "<ul>\n<li>a</li>\n</ul>\n<hr>\n<ul>\n<li>b</li>\n</ul>\n"],
  ]);
});

describe("quotes:", () => {
  table([
    ["> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"],
    [">a\n>b", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"],
    ["> a\nb", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"],
    ["> # a\nb", "<blockquote>\n<h1>a</h1>\n</blockquote>\n<p>b</p>\n"],
    ["> a\n\nb", "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n"],
    ["> > a", "<blockquote>\n<blockquote>\n<p>a</p>\n</blockquote>\n</blockquote>\n"],
    ["> - a\n> - b", "<blockquote>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n</blockquote>\n"],
  ]);
});

describe("links and images:", () => {
  table([
    ["[a](/b)", '<p><a href="/b">a</a></p>\n'],
    ['[a](/b "t")', '<p><a href="/b" title="t">a</a></p>\n'],
    ["[a](</b c>)", '<p><a href="/b%20c">a</a></p>\n'],
    ["[a](/b(c)d)", '<p><a href="/b(c)d">a</a></p>\n'],
    ["[*a*](b)", '<p><a href="b"><em>a</em></a></p>\n'],
    ["*[a*](b)", '<p>*<a href="b">a*</a></p>\n'],
    ["[a [b](c) d](e)", '<p>[a <a href="c">b</a> d](e)</p>\n'],
    ["[a]", "<p>[a]</p>\n"],
    ["[a](b", "<p>[a](b</p>\n"],
    ["[a](b c)", "<p>[a](b c)</p>\n"],
    ["[a]()", '<p><a href="">a</a></p>\n'],
    ["![a *b*](c.png)", '<p><img src="c.png" alt="a b"></p>\n'],
    ["[![a](b)](c)", '<p><a href="c"><img src="b" alt="a"></a></p>\n'],
    ["<https://x.y/?a=1&b=2>", '<p><a href="https://x.y/?a=1&amp;b=2">https://x.y/?a=1&amp;b=2</a></p>\n'],
    ["<ada@example.com>", '<p><a href="mailto:ada@example.com">ada@example.com</a></p>\n'],
    ["\\[a](b)", "<p>[a](b)</p>\n"],
    ['[a](http://x?q="1")', '<p><a href="http://x?q=&quot;1&quot;">a</a></p>\n'],
  ]);
});

describe("tables:", () => {
  table([
    [
      "| a | b |\n|---|--:|\n| 1 | *2* |\n| 3 |",
      '<table>\n<thead>\n<tr><th>a</th><th style="text-align:right">b</th></tr>\n</thead>\n<tbody>\n' +
        '<tr><td>1</td><td style="text-align:right"><em>2</em></td></tr>\n' +
        '<tr><td>3</td><td style="text-align:right"></td></tr>\n</tbody>\n</table>\n',
    ],
    [
      "a|b\n:-:|:--\n`x\\|y`|2|3\n\nc",
      '<table>\n<thead>\n<tr><th style="text-align:center">a</th><th style="text-align:left">b</th></tr>\n</thead>\n' +
        '<tbody>\n<tr><td style="text-align:center"><code>x|y</code></td><td style="text-align:left">2</td></tr>\n' +
        "</tbody>\n</table>\n<p>c</p>\n",
    ],
    ["a|b\n---", "<h2>a|b</h2>\n"],
    ["a | b", "<p>a | b</p>\n"],
  ]);
});

describe("nothing in the text becomes markup or code of the page:", () => {
  table([
    ["<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"],
    ["a <b onclick='x'> & \"c\"", "<p>a &lt;b onclick=&#39;x&#39;&gt; &amp; &quot;c&quot;</p>\n"],
    ["&lt;b&gt;", "<p>&amp;lt;b&amp;gt;</p>\n"],
    ["[a](javascript:alert)", "<p>a</p>\n"],
    ["[a](JaVaScRiPt:alert)", "<p>a</p>\n"],
    ["[a](<java\tscript:alert>)", "<p>a</p>\n"],
    ["[a](< javascript:alert>)", "<p>a</p>\n"],
    ["[a](\\javascript:alert)", "<p>a</p>\n"],
    ["[a](vbscript:x)", "<p>a</p>\n"],
    ["[a](data:text/html,x)", "<p>a</p>\n"],
    ["![a](data:image/svg+xml,x)", "<p>a</p>\n"],
    ["<javascript:alert>", "<p>&lt;javascript:alert&gt;</p>\n"],
    ["[a](javascript&#58;alert)", '<p><a href="javascript&amp;#58;alert">a</a></p>\n'],
    ['[a](b "\\"><script>")', '<p><a href="b" title="&quot;&gt;&lt;script&gt;">a</a></p>\n'],
    ['[a](b">x)', '<p><a href="b&quot;&gt;x">a</a></p>\n'],
    ['![" onerror="x](b)', '<p><img src="b" alt="&quot; onerror=&quot;x"></p>\n'],
    ['```" onclick="x\n```', '<pre><code class="language-&quot;"></code></pre>\n'],
    ["a\0b", "<p>a\ufffdb</p>\n"],
  ]);
});

test("hostile input ends, within the limits of one call", () => {
  const count = 5_000;
  for (const text of [
    "*a ",
    "**a *b ",
    "[",
    "![",
    "[a](",
    "`",
    "<",
    "> ",
    "- ",
    "~~a",
    "_a*",
    "|",
    "a|",
    "](x)",
    "\\",
  ]) {
    assert(render(text.repeat(count)).length > 0, JSON.stringify(text));
  }
  const ticks = Array.from({ length: 300 }, (_, index) => `${"`".repeat(index + 1)} `).join("");
  assert(render(ticks).length > ticks.length);
  assert(render(Array.from({ length: 200 }, (_, index) => `${"  ".repeat(index)}- a`).join("\n")).length > 0);
});

test("GET answers a page that shows the renderer's own work", () => {
  const { status, contentType, text } = callGuest(module, {});
  assert.equal(status, 200);
  assert.equal(contentType, "text/html; charset=utf-8");
  for (const part of [
    "<!doctype html>",
    "<h1>",
    "<table>",
    "<blockquote>",
    "<pre><code",
    "&lt;script&gt;",
    "<del>",
  ]) {
    assert(text.includes(part), part);
  }
  assert(!text.includes("javascript:"));
});

test("another method is 405 with Allow", () => {
  const { status, headers } = callGuest(module, { method: "PUT" });
  assert.equal(status, 405);
  assert.deepEqual(headers.at(-1), ["allow", "GET, HEAD, POST"]);
});
