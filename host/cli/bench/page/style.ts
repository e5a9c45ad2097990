// The style of the page: the system's font, light or dark as the reader's system is, and eight colours
// that stay apart on both and for eyes that see few of them (after Okabe and Ito).

export const pageStyle = `
:root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --faint: #5b6470; --rule: #dfe3e8;
  --warn-back: #fff4d6; --warn-rule: #d99a00;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #b8860b; --c5: #56b4e9; --c6: #7f7f7f; --c7: #000; }
@media (prefers-color-scheme: dark) { :root { --back: #16181c; --text: #e7e9ec; --faint: #9aa3ad; --rule: #32373e;
  --warn-back: #3a2f10; --warn-rule: #d99a00;
  --c0: #4aa8e0; --c1: #ff8a3d; --c2: #2fc99a; --c3: #e79cc5; --c4: #e6b93f; --c5: #8fd0f5; --c6: #a0a0a0; --c7: #fff; } }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.about { color: var(--faint); margin: .25rem 0 1rem; }
.remark { background: var(--warn-back); border-left: 4px solid var(--warn-rule); margin: .5rem 0; padding: .5rem .75rem; }
.verdict { border: 1px solid var(--rule); font-weight: 600; margin: .5rem 0; padding: .5rem .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .75rem .25rem 0; text-align: right; white-space: nowrap; }
th { color: var(--faint); font-weight: 500; } th:first-child, td:first-child, td.note { text-align: left; }
td.note { color: var(--faint); white-space: normal; }
tr.total td { font-weight: 600; }
svg { display: block; height: auto; width: 100%; } svg text { fill: var(--faint); font-size: 12px; }
svg text.name { fill: var(--text); }
.grid { stroke: var(--rule); stroke-width: 1; } .line { fill: none; stroke-linejoin: round; stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .25rem 0 0; padding: 0; }
.swatch { border-radius: 2px; display: inline-block; height: .75rem; margin-right: .4rem; width: .75rem; }
${Array.from(
  { length: 8 },
  (_, colour) =>
    `.line.c${colour} { stroke: var(--c${colour}); } .piece.c${colour} { fill: var(--c${colour}); } .swatch.c${colour} { background: var(--c${colour}); }`,
).join("\n")}
`;
