// Turns Markdown into HTML that is safe to show: raw HTML in it is shown as text, and links lead
// only to http, https and mailto.
//
//   curl http://127.0.0.1:4747/fn/markdown                       a page that shows what it can
//   curl -d '# Hello *world*' http://127.0.0.1:4747/fn/markdown  HTML of your own text
//
// It knows headings, emphasis, code, lists, links, images, quotes, tables and rules as CommonMark
// and GitHub have them; links by reference it does not.

import { Request, Response } from "mayfly";
import { renderBlocks } from "./blocks";
import { splitLines } from "./lines";
import { page } from "./page";

export function handle(req: Request): Response {
  if (req.method === "POST") return html(render(req.text()));
  if (req.method === "GET" || req.method === "HEAD") return html(page());
  return Response.text("GET shows a page, POST renders the body", 405).header("allow", "GET, HEAD, POST");
}

function render(markdown: string): string {
  return renderBlocks(splitLines(markdown), 0, false);
}

function html(text: string): Response {
  return Response.text(text)
    .header("content-type", "text/html; charset=utf-8")
    .header("content-security-policy", "default-src 'none'; img-src * data:; style-src 'unsafe-inline'")
    .header("x-content-type-options", "nosniff");
}
