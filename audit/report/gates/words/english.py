"""How a story speaks in English; see voice.py."""

from audit.report.gates.prose import word_set
from audit.report.gates.words.voice import Voice, any_of

VOICE = Voice(
    thief=any_of(
        r"thie(?:f|ves)(?:'s?)?|he|him|his|himself|attackers?(?:'s?)?|criminals?(?:'s?)?|scammers?(?:'s?)?"
        r"|intruders?(?:'s?)?|burglars?(?:'s?)?|strangers?(?:'s?)?|she|her|they|them|their"
    ),
    harmless=any_of(
        r"(?:the|an?|his|each|this|every|one) [\w-]+ (?:that |which )?(?:he|the thief) (?:bought|found"
        r"|made|took|got|wrote|stole|built|saw|\w+ed)(?: (?:last \w+|long ago|before|earlier))?"
        r"|(?:in )?no (?:hurry|rush|need|trace|sound|noise|alarm|warning|time|more|longer)"
        r"|no ?(?:one|body) (?:notices|sees"
        r"|looks|hears|watches|asks)|(?:does not|doesn't|not|need not) (?:need|even|far|long|only|just"
        r"|have to"
        r"|hurry|rush)"
        r"|nothing (?:more|else)"
        r"|without (?:a (?:sound|trace|word|fight|hurry|single)|any|haste|noise|alarm|hurry|effort)"
        r"|as if|so far|no (?:password|code|alert|force|luck needed)"
    ),
    lame=any_of(
        r"is|are|can|could|may|might|would|your|got|came|gave|made|ran|paid|took|went|stole"
        r"|\w+ed (?:the|a|an|his|her|to|for|it|them|that)"
    ),
    why=any_of(r"because|since|(?<=, )as (?=he|the|it|they|his|your)"),
    starts=word_set(
        "two three four five six seven eight nine ten dozens several many most few step a an the this that "
        "these those it its your he his she her they their one another each every all both some "
        "thief thieves attackers "
        "in on at by from for of to with within into inside behind over under after before between during "
        "through "
        "along across around near past until till beyond beside besides among against about as like "
        "because since while when where once "
        "then next now first second third finally later soon afterwards meanwhile here there so also "
        "still even "
        "thus therefore again only just already instead eventually quickly quietly slowly often usually "
        "and but or what whoever whatever everything minutes hours days day night week evening morning "
        "noon dawn dusk "
        "thanks armed half people"
    ),
    adverbs=word_set(
        "then next now first second third finally later soon afterwards meanwhile here there so also "
        "still even "
        "thus therefore again only just already instead eventually quickly quietly slowly often usually "
        "and but or"
    ),
    never={
        "speaks to the reader": any_of(r"you(?:'\w+)?|yourself|please|dear|let's|let us|remember"),
        "speaks for somebody": any_of(r"we(?:'\w+)?|us|our|ours|i|i'm|i'd|i've|i'll|me|my|mine"),
        "says what ought to be": any_of(
            r"should|must|ought|shall|will|\w+'ll|supposed to|better off|had better|(?:is|are) to"
            r"|worth|advisable|recommend\w*|advis\w+|suggest\w*|sensible|wise|make sure|tips?"
        ),
        "says what is not": any_of(
            r"cannot|can't|can not|could not|couldn't|unable|impossible|never|unless|if|otherwise|except"
            r"|refuses?"
            r"|hardly|barely"
            r"|no (?:chance|way|hold|use|access|luck|reason|harm|risk|danger|thief|attacker)"
            r"|(?:nothing|nobody|no one) (?:can|to)"
            r"|(?:not|n't|doesn't|don't) (?:get|reach|find|open|read|take|enter|manage|work|come|arrive"
            r"|succeed|harm|matter)"
            r"|(?:is|are) not|isn't|aren't|should not|won't|neither|nor"
        ),
        "tells of the past": any_of(
            r"ago|(?:since|last|this) (?:spring|summer|autumn|winter|fall)"
            r"|last (?:year|month|week|spring|summer|winter|autumn|fall)|yesterday|recently|once upon"
            r"|(?<!as )(?<!that )(?:he|she|they|thief|thieves|who|attackers?|criminals?|it|this"
            r"|there) (?:\w+ly )?"
            r"(?:(?!need|feed|speed|proceed|succeed|exceed)\w+ed|found|lost|sent|made|bought|paid|caught"
            r"|kept|left|met"
            r"|went|came|took|stole|saw|gave|wrote|knew|began|became|fell|got|said|told|spent|ran"
            r")|(?<!as it )(?<!as )(?<!that )(?<!which )(?<!what )(?:was|were|had|did)"
        ),
        "judges": any_of(
            r"safe|safer|safest|safely|safety|secure[sd]?|secur(?:ely|er|est)|protect\w*|better|best"
            r"|harmless|reliabl\w+"
            r"|trustworthy|ideal|okay|guarant\w+|excellent|impressive|stupid|foolish|lazy|risk-free"
            r"|calm(?:er)? place"
            r"|premium|discounts?|coupons?|sponsor\w*|refund\w*|affordable|average|percent|majority"
            r"|insured|insurance"
            r"|compensat\w+|prisons?|jail|courts?|trial|sentenced|arrest\w*|caught|convicted"
            r"|(?:this|that) case"
            r"|wife|husband|children|kids|famil(?:y|ies)|mother|father|sister|brother|dentist|doctor"
            r"|teacher|nurse|student|soldier|retiree|grandm\w+|adults?|grown \w+|pension"
            r"|pensioner"
            r"|(?:knows|sees|learns|hears|remembers) (?:that )?(?:the|your) (?:owner|victim)"
            r"|checks? like this"
            r"|(?:sloppy|sloppier|tidy|neat|orderly|disciplin\w*|respect\w*|admiration|envy)|habit of"
            r"|a grade|gold standard|favou?rites?|careless\w*|negligen\w+|envies|admires|detests|dislikes"
            r"|flawless|impeccable"
            r"|(?:pays?|paid|gives?|gave) (?:\w+ ){0,3}back|good idea|good enough|hard time|no match|scores?"
        ),
        "compares": any_of(
            r"(?!(?:lat|new|old|young|long|bus|busi|near|rich|bigg|larg|small|short|fat|weak|deep|earli"
            r"|fresh|thinn"
            r"|full|for|gu|requ|inter|t|cont|harv|sugg|inv|ch|qu|r|w|n|dig|hon|mod|manif|prot|f|v|j|p|cr"
            r"|arr|di|inf)est)"
            r"\w{1,12}est|(?<!for )the most (?!of|recent\w*|valuable|active|used|frequent|promising|coins)\w+"
            r"|(?:more|less) \w+ (?:\w+ ){0,2}than|(?:is|are|looks?|seems?|feels?"
            r"|stays?) (?:\w+ )?\w{2,10}er (?:\w+ ){0,3}than|(?!(?:rath|oth|soon|lat|earli|long|furth"
            r"|deep|fast|quick)er)\w{2,12}er than"
        ),
        "tells of others": any_of(
            r"(?:most|many|all|few|some|every|other) (?:of the )?(?:thief|thieves|attackers)"
            r"|police\w*|detectives?|investigators?|analysts?|experts?|professionals?|authorit(?:y|ies)"
            r"|regulators?"
            r"|insurers?|lawyers?|judges?|auditors?|prosecutors?|governments?|researchers?|hackers?"
            r"|agencies|FBI"
            r"|(?:owners?|victims?|users?|anyone|everyone|everybody) (?:who|that|whose)"
            r"|(?:only|most|many|all|some|few|every|each|smart|other) (?:owners?|victims?"
            r"|users?)(?! of the)(?!')"
            r"|back to (?:its|their|the|your|his) (?:\w+ )?(?:owners?|wallet|victims?)"
            r"|(?:owners?|victims?) (?:\w+ )?(?:recovers?|regains?|gets? (?:\w+ ){0,3}back)"
            r"|(?:come|find|make|flow|go)s? (?:\w+ )?(?:way )?back to (?:you|the owner|where)"
        ),
    },
    where_weak={
        "lets the thief give up": any_of(
            r"(?:he|thief|thieves|they|attackers?|and) (?:\w+ly )?(?:gives? up|fails?"
            r"|stops?(?! at (?:yours|one|your|each))|avoids?|skips?"
            r"|spares|ignores|retreats?"
            r"|shrugs?|despairs?|loses?(?! (?:sight|track|time)))|giving up|thief loses|(?:gets?|is"
            r"|stands?|sits?|stays?|remains?) stuck|gives? back"
            r"|passes? (?:\w+ ){0,3}by|(?<!a )(?<!very )(?<!costs him )(?:has|finds|gains|gets"
            r"|earns) (?:too |so |very )?"
            r"(?:little|few)(?! more)|gets? nowhere|comes? up short|throws? up his hands|(?:thief"
            r"|he) sighs|waits? in vain"
            r"|(?:keep|stop|block|hold|slow|delay|deter|hinder|defeat|foil|frustrate|halt|shut|lock|bar"
            r"|bore|tire|wear|scare"
            r"|discourage|puzzle|baffle|exhaust|thwart)s? (?:a thief|the thief|thieves)"
            r"|turns? (?:away|back|around)|moves? on(?! (?:to|the)(?!\w))|(?<!and )goes home"
            r"|walks? (?:away|off|past"
            r"|by)(?! with)"
            r"|empty-handed|away empty"
            r"|leaves? (?:alone|\w+ (?:alone|be)|a \w+ alone|empty)|in vain|(?:is|are|gets) (?:blocked"
            r"|locked out)"
            r"|returns? (?:the|all|every) (?:coins?|money|funds)|pays? back|backs? (?:off|away|out)|(?:a"
            r"|the) wall"
            r"|dead end"
            r"|looks? elsewhere|stays? (?:out|outside|away)|(?:stands?|remains?) outside|curses|hates"
            r"|has to (?:stop|leave)"
            r"|bounces|no luck|beyond (?:his|their) reach|out of (?:\w+ ){0,2}reach|out of (?:his"
            r"|their) hands"
            r"|powerless|helpless"
            r"|hold there|likes (?:such|this|your)|immune|fears|is history|no chance|worthless|resists?"
            r"|withstands?"
            r"|code dies|brings? them back"
            r"|(?:he|thief|and) wakes? up|beggars?|tears|weeps|cries|(?:his|its|a) match|beginners?"
            r"|catch(?:es)? (?:the|a) thief|defeat\w*|(?:send|put|turn)s? him (?:home|away|off"
            r"|back|packing)|turns? (?:the|a) thief into"
            r"|makes? him (?!smile|grin|laugh|bold|rich|happy|curious|greedy|patient|the (?:owner|master)"
            r"|an? )"
            r"|drives? (?:him|the thief) (?:mad|away|off|crazy|to )|in despair|frowns?|groans?|grumbles?"
            r"|swears|sweats"
            r"|pays? him nothing|(?:exchange|bank|carrier|support|chain|network|platform|agent"
            r"|clerk)s? (?:\w+ )?(?:reverse|cancel|undo"
            r"|restore|freeze|block|refund|return|stop|cover|notice|flag|trace|revoke|lock|would)s?"
            r"|come home|leaves? (?:\w+ ){1,4}(?:where|as|in place|alone|untouched)|untouched|intact"
        ),
        "names a defence": any_of(
            r"(?:hardware|cold|air-gapped|offline|multisig\w*|metal|steel|titanium) (?:\w+ )?(?:wallets?"
            r"|plates?|keys?|devices?"
            r"|sheets?|storage|backups?|copy|copies)|multi-?sig\w*|passkeys?|security keys?|passphrases?"
            r"|password managers?"
            r"|authenticators?|steel|titanium|(?:second|extra) (?:factor|layer|password|lock)"
            r"|fingerprint (?:lock|reader|sensor)s?"
            r"|antivirus\w*|(?:sim|screen|port|card) (?:pins?|locks?)|(?:two|three|more"
            r"|several) signatures|a safe"
        ),
        "tells what is thought": any_of(
            r"(?:know|whisper|think|believe|find|learn|wonder|understand|realize|realise|see|admit|agree"
            r"|grant|feel|guess"
            r"|figure|laugh|dream|hear|remark|discover)s? (?:that|why|how)(?! (?:he|his|the thief)(?!\w))"
        ),
    },
    private=word_set(
        "score scores band rating level grade result results answer answers report audit check "
        "plan test city town "
        "country job boss salary age wife husband partner brother sister mother father son "
        "daughter children family "
        "parents girlfriend boyfriend lawyer accountant adviser advisor "
    ),
    order=word_set(
        "and then after that first next last finally also followed by in this order with lastly "
        "plus before at the "
        "end"
    ),
    kept=word_set(
        "keep already right and stays stay as it is this these good worth keeping also too in place"
    ),
    lead=word_set(
        "it this that has have happened happens happen before like so in real life is was what how "
        "way the same a case "
        "case exactly just it's went looks looked see read for example and really recently similar here"
    ),
)
