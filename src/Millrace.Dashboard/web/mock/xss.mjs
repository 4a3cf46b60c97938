// Hostile texts, one way each to break out of a page that is careless with what jobs hold.
export const xss = [
  `<script>hit()</script>`, `"><script>hit()</script>`, `<img src=x onerror=hit()>`, `'"><svg onload=hit()>`, `<svg><script>hit()</script></svg>`,
  `javascript:hit()`, `<a href="javascript:hit()">go</a>`, `<iframe srcdoc="<script>parent.hit()</script>"></iframe>`, `{{constructor.constructor('hit()')()}}`, `\${hit()}`,
  `<style>@import url(//evil.example)</style>`, `<div style="background:url(javascript:hit())">`, `</textarea><script>hit()</script>`, `</script><script>hit()</script>`, `<!--<script>hit()</script>-->`,
  `<math><mtext></mtext><mglyph><svg><mtext><style><img src=x onerror=hit()></style>`, `<details open ontoggle=hit()>`, `<input autofocus onfocus=hit()>`, `<body onload=hit()>`, `<object data="data:text/html,<script>hit()</script>">`,
  `%3Cscript%3Ehit()%3C/script%3E`, `&lt;script&gt;hit()&lt;/script&gt;`, `\u003cscript\u003ehit()\u003c/script\u003e`, `admin\u202Etxt.exe`, `a\u0000b\u0007c\u001b[31mred\u001b[0m`,
  `\u2028hit()\u2029`, `zero\u200Bwidth\uFEFFspace`, `__proto__`, `constructor`, `../../../../etc/passwd`,
];
