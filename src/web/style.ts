/** The one style sheet. No image, font or script: the page must work when nothing else does. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--panel:#fff;--line:#d9dde3;--text:#191c21;--dim:#5a6270;--link:#0b57d0;
--bad:#b3261e;--bad-bg:#fdeceb;--warn:#8a5000;--warn-bg:#fff3dc;--ask:#5d4a9c;--ask-bg:#efebfb;--good:#17693a;--good-bg:#e4f5ea;--code:#eef0f3}
@media (prefers-color-scheme:dark){:root{--bg:#101317;--panel:#181c22;--line:#2e353f;--text:#e7eaee;--dim:#9aa4b2;--link:#8ab4f8;
--bad:#ff9d94;--bad-bg:#3a1917;--warn:#f5c26b;--warn-bg:#342607;--ask:#c3b3ff;--ask-bg:#262041;--good:#86d8a4;--good-bg:#12301e;--code:#222831}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header{display:flex;align-items:center;gap:.25rem 1rem;flex-wrap:wrap;padding-top:.75rem;padding-bottom:.75rem}
.brand{font-size:1.25rem;color:var(--text);text-decoration:none;letter-spacing:-.02em}
.brand b{color:var(--link)}
.asof{margin:0 auto 0 0;color:var(--dim);font-size:.85rem}
a{color:var(--link)}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,summary:focus-visible,pre:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
h3{font-size:1.05rem;font-weight:600;margin:0 0 .4rem;overflow-wrap:anywhere}
p{margin:.3rem 0}
i{font-style:normal}
small{color:var(--dim);font-size:.82rem;font-weight:400}
bdi,dd,td,li,.resource{overflow-wrap:anywhere}
.age,.kind,.count,.none{color:var(--dim)}
.hero{background:var(--panel);border:1px solid var(--line);border-left:.5rem solid var(--dim);border-radius:.6rem;padding:1.1rem 1.25rem}
.hero.bad,.hero.inaccessible,.hero.impaired{border-color:var(--bad);background:var(--bad-bg)}
.hero.warn,.hero.degraded,.hero.at_risk{border-color:var(--warn);background:var(--warn-bg)}
.hero.unsure,.hero.unknown{border-color:var(--ask);background:var(--ask-bg)}
.hero.good,.hero.accessible,.hero.ok{border-color:var(--good);background:var(--good-bg)}
.bad h1{color:var(--bad)}.warn h1{color:var(--warn)}.unsure h1{color:var(--ask)}.good h1{color:var(--good)}
.tiles{list-style:none;display:flex;flex-wrap:wrap;gap:.5rem;margin:.9rem 0 0;padding:0}
.tiles a{display:block;background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.35rem .75rem;color:var(--text);text-decoration:none}
.tiles a:hover{border-color:currentColor}
.tiles b{font-size:1.25rem;font-variant-numeric:tabular-nums;margin-right:.2rem}
.tiles .inaccessible a,.tiles .impaired a{color:var(--bad)}.tiles .unknown a{color:var(--ask)}.tiles .degraded a{color:var(--warn)}
.tiles .accessible a{color:var(--good)}.tiles .none a{color:var(--dim)}
.banner{background:var(--bad-bg);color:var(--bad);border:1px solid var(--bad);border-radius:.6rem;padding:.7rem 1rem;margin:1rem 0}
.card{background:var(--panel);border:1px solid var(--line);border-left:.3rem solid var(--bad);border-radius:.6rem;padding:.9rem 1.1rem;margin:0 0 .8rem}
.card h3 small{margin-left:.3rem}
.deadline{color:var(--bad)}
.meaning{max-width:60rem}
.quote{background:var(--code);border-radius:.3rem;padding:.05rem .4rem}
.label{font-size:.8rem;color:var(--dim);margin:.7rem 0 .2rem}
.affected{list-style:none;display:flex;flex-wrap:wrap;gap:.35rem;padding:0;margin:.35rem 0}
.affected li{background:var(--code);border-radius:.4rem;padding:.1rem .5rem;font-size:.88rem}
pre{background:var(--code);border:1px solid var(--line);border-radius:.4rem;margin:.2rem 0;padding:.55rem .75rem;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
code{font:.9rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.badge{display:inline-block;white-space:nowrap;border-radius:1rem;padding:.02rem .55rem;font-size:.85rem;font-weight:600;background:var(--code);color:var(--dim)}
.badge.inaccessible,.badge.impaired{background:var(--bad-bg);color:var(--bad)}
.badge.degraded,.badge.at_risk{background:var(--warn-bg);color:var(--warn)}
.badge.unknown,.badge.blind{background:var(--ask-bg);color:var(--ask)}
.badge.accessible,.badge.ok{background:var(--good-bg);color:var(--good)}
.hero .badge{background:var(--panel)}
.sources{list-style:none;display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:.5rem;margin:0 0 .5rem;padding:0}
.sources li{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.45rem .75rem;font-size:.92rem}
.sources b{display:block;font-weight:600}
.sources span{display:block;color:var(--dim);font-size:.85rem}
.sources .down,.sources .stale{border-color:var(--bad);background:var(--bad-bg)}
.sources .stale{border-color:var(--warn);background:var(--warn-bg)}
.sources .retired b{color:var(--dim)}
.sources .up i{color:var(--good)}.sources .down i{color:var(--bad)}.sources .stale i{color:var(--warn)}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--dim)}
.filter{display:flex;flex-wrap:wrap;gap:.5rem .75rem;align-items:end;margin:0 0 .5rem}
.filter label{display:flex;flex-direction:column;font-size:.8rem;color:var(--dim)}
input,select,button{font:inherit;font-size:.95rem;color:var(--text);background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.3rem .55rem;max-width:100%;margin:0}
input,select,button{height:2.15rem}
input[type=search]{width:16rem}
button{cursor:pointer;font-weight:600}
button:hover{border-color:var(--link);color:var(--link)}
.list{width:100%;border-collapse:collapse;background:var(--panel);border:1px solid var(--line);font-size:.93rem;margin-bottom:.75rem}
.list th{text-align:left;font-size:.8rem;color:var(--dim);font-weight:600;padding:.45rem .7rem;border-bottom:1px solid var(--line)}
.list td{vertical-align:top;padding:.45rem .7rem;border-bottom:1px solid var(--line)}
.list td:last-child,.list th:last-child{text-align:right;font-variant-numeric:tabular-nums}
.list td small{display:block}
.list td:nth-child(2){min-width:9rem}
.list td:nth-child(5){white-space:nowrap}
.list.uses td:nth-child(3){white-space:nowrap}.list.uses td:nth-child(5){white-space:normal}
.pager{display:flex;gap:1rem;justify-content:center;margin:1rem 0}
dl{display:grid;grid-template-columns:minmax(8rem,12rem) 1fr;gap:.3rem 1rem;margin:0;background:var(--panel);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1.1rem}
dt{color:var(--dim);overflow-wrap:anywhere}dd{margin:0}
.plain,.timeline{list-style:none;margin:0;padding:0}
.plain li{background:var(--panel);border:1px solid var(--line);border-left:.3rem solid var(--line);border-radius:.5rem;padding:.6rem .9rem;margin:0 0 .5rem}
.plain .warning{border-left-color:var(--warn)}.plain .critical{border-left-color:var(--bad)}
.plain small{display:block}
.timeline li{border-left:2px solid var(--line);padding:.1rem 0 .6rem 1rem;position:relative}
.timeline li::before{content:"";position:absolute;left:-.36rem;top:.55rem;width:.6rem;height:.6rem;border-radius:50%;background:var(--dim)}
.timeline small{display:block}
ul.tree,.tree ul{list-style:none;margin:0;padding:0}
ul.tree>li{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.4rem .8rem;margin:0 0 .4rem}
.tree li li{border-left:2px solid var(--line);padding:.15rem 0 .15rem .8rem;margin:.15rem 0 .15rem .3rem}
.tree small{display:block}.tree details{margin:.2rem 0}
footer{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 1rem;color:var(--dim);font-size:.85rem;margin-top:2.5rem;padding-bottom:2rem}
@media (max-width:46rem){
h1{font-size:1.35rem}
.filter label,.filter input,.filter input[type=search],.filter select{width:100%}
.filter label{flex:1 1 9rem}
.list,.list tbody{display:block;border:0;background:none}
.list thead{display:none}
.list tr{display:grid;grid-template-columns:1fr auto;gap:.1rem .75rem;background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.55rem .75rem;margin-bottom:.5rem}
.list td{padding:0;border:0}
.list td:nth-child(1){order:2;text-align:right}
.list td:nth-child(2){order:1;font-weight:600;min-width:0}
.list td:nth-child(3){order:3}.list td:nth-child(4){order:4;text-align:right}
.list td:nth-child(5){order:5;white-space:normal}
.list td:nth-child(6){order:6}.list td:nth-child(6)::before{content:"needed by ";color:var(--dim)}
.consumers td:nth-child(6)::before{content:"keys "}
.list.uses tr{display:block}
.list.uses td,.list.uses td:last-child{display:block;text-align:left}
.uses td:nth-child(3)::before{content:"role ";color:var(--dim)}
.uses td:nth-child(4)::before{content:"version in use ";color:var(--dim)}
.uses td:nth-child(5)::before{content:"current version ";color:var(--dim)}
.uses td:nth-child(6)::before{content:"outdated "}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.45rem}
}
@media print{.filter,header form,.pager{display:none}}
`;
