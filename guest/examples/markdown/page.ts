// The page that a browser gets: a sample in Markdown, rendered by the function itself.

import { renderBlocks } from "./blocks";
import { splitLines } from "./lines";

const SAMPLE = `# Markdown, rendered at the edge of nothing

This page was Markdown a moment ago. A **WebAssembly** function turned it into HTML, in a sandbox
that was made for *this one request* and is gone already.

## What it knows

1. Headings, *emphasis*, **strong words**, ~~mistakes~~ and \`code\`
2. [Links](https://example.com "An example") and images
3. Lists
   - within lists
   - as deep as you like

> Quotes, which may hold
>
> - anything else

| Method | What you get     | Status |
| :----- | :--------------- | -----: |
| GET    | this page        |    200 |
| POST   | your text, as HTML | 200 |

\`\`\`sh
curl -d '# Hello *world*' http://127.0.0.1:4747/fn/markdown
\`\`\`

---

And it is careful: <script>alert("shown, not run")</script>, [no link](javascript:alert(1)).
`;

const STYLE =
  "body{max-width:42rem;margin:3rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif;color:#223}" +
  "code{background:#eef;padding:.1em .3em;border-radius:3px}pre{background:#eef;padding:1em;overflow:auto}" +
  "pre code{padding:0}blockquote{margin:0;padding-left:1em;border-left:4px solid #cce;color:#557}" +
  "table{border-collapse:collapse}td,th{padding:.3em .8em;border:1px solid #cce}hr{border:0;border-top:1px solid #cce}";

export function page(): string {
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Markdown</title>\n<style>' +
    STYLE +
    "</style>\n</head>\n<body>\n" +
    renderBlocks(splitLines(SAMPLE), 0, false) +
    "</body>\n</html>\n"
  );
}
