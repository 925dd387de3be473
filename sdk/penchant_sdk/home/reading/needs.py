"""What people need who say how they feel and not what to do: it asks about the likely device.

>>> command_for("i can barely see my book", "en"), command_for("地上全是猫毛", "zh-CN")
('turn on the light', '打扫')
>>> command_for("turn on the fan", "en")
''
"""

from __future__ import annotations

import re

_LOUD = r"(?:tv|telly|television|music|speakers?|stereo|radio)"
_ENGLISH = (
    (
        r"\b(?:can|could) (?:not|barely|hardly|scarcely) (?:even )?(?:see|read|work|find).* "
        r"(?:in|with|by|under) (?:this|the|that|these|such) (?:bad |poor |dim )?light(?:s|ing)?\b"
        r"|\b(?:light|lights|lighting|lamp) (?:is|are|seems) (?:too |so |very |rather )?(?:poor|bad"
        r"|weak|faint)\b",
        "make the light brighter",
    ),
    (
        r"\b(?:set|create|give|get|change|need|want|like|make)\b.*\b(?:mood|ambien[cs]e"
        r"|atmosphere)\b|\blight(?:s|ing)? (?:more )?(?:romantic|cosy|cozy|relaxing)\b"
        r"|\bromantic (?:light|lighting|lights)\b",
        "dim the light",
    ),
    (
        r"\b(?:can|could) (?:not|barely|hardly|scarcely) (?:even )?(?:see|read|find|make out)\b"
        r"|\b(?:so|too|very|pretty|really|getting|getting a bit) (?:dark|gloomy|murky)\b"
        r"|\bpitch (?:dark|black)\b|\blike a (?:cave|dungeon|tomb)\b|\bneed(?: some| more)? light\b"
        r"|\b(?:want|like|going|trying|try) to read\b|\bread in bed\b|\bstraining my eyes\b"
        r"|\bi (?:bumped|tripped|stumbled)\b|\bafraid of the dark\b"
        r"|\b(?:sitting|standing|am|are|left) (?:here )?in the dark\b",
        "turn on the light",
    ),
    (
        r"\b(?:light|lights|lamp|lamps)\b.* (?:headache|migraine|blind(?:s|ing)?|harsh|hurt(?:s"
        r"|ing)?"
        r"|glar(?:e|ing)|dazzl(?:es|ing)|too much|killing|piercing)\b|\bharsh (?:light"
        r"|lighting)\b|\beyes? (?:hurt|ache|sore|are).*\blights?\b",
        "dim the light",
    ),
    (
        r"\b(?:glare|sun|sunlight)\b.*\b(?:screen|eyes?|face|tv|telly|blind(?:s|ing)?)\b"
        r"|\b(?:see|look|looking|staring|peering|stare) (?:right |straight )?(?:in|into|inside)\b"
        r"|\b(?:neighbou?rs?|people|everyone|passers by) (?:can |could )?(?:see|watch|stare"
        r"|are watching)\b"
        r"|\b(?:some|more|bit of) privacy\b|\bfrom the street\b",
        "close the blinds",
    ),
    (
        r"\b(?:freez(?:e|ing)|shiver(?:ing)?|chilly|nippy|parky|goose ?bumps|chattering|icy"
        r"|arctic)\b"
        r"|\b(?:am|we are|is|feel|feeling|so|too|bit|really|getting|my (?:feet|hands|toes) are) "
        r"(?:so |too |really |very |a bit |bit )?cold\b|\bcatch(?:ing)? (?:a|my) (?:cold|death)\b"
        r"|\blike an? (?:fridge|freezer|igloo|icebox)\b",
        "turn the heating up",
    ),
    (
        r"\b(?:boiling|sweating|sweltering|roasting|baking|melting|suffocating|stifling|stuffy"
        r"|airless)\b"
        r"|\b(?:no|fresh|need|some|more|bit of|could do with(?: a)?) (?:air|breeze)\b"
        r"|\bcan not breathe\b|\blike an? (?:oven|sauna|furnace)\b|\b(?:so|too|really) (?:hot"
        r"|warm)\b"
        r"|\ba breeze\b",
        "turn on the fan",
    ),
    (
        r"\b(?:dying for|desperate for|gasping for|need|could murder|could do with|craving|fancy|"
        r"want|kill for|dreaming of|without) (?:a |an |my |some |another )?(?:cup of |strong )?"
        r"(?:coffee|espresso|caffeine)\b|\b(?:so tired|can not wake up|half asleep"
        r"|need to wake up)\b",
        "turn on the coffee machine",
    ),
    (
        r"(?:^|, |\b(?:more|another|one|for a|of a|with|some|machine for) )(?:cup of )?"
        r"(?:coffee|espresso|caffeine|americano|latte|cappuccino|flat white)"
        r"(?: please| now| made)*$"
        r"|\bcoffee made$",
        "turn on the coffee machine",
    ),
    (r"\bbrew (?:me |us )?(?:a|one|some|another) (?:cup|pot|mug)(?: please)?$", "make coffee"),
    (r"\bbegin brewing\b|^(?:please )?start (?:to )?brew(?:ing)?$", "turn on the coffee machine"),
    (r"^(?:please )?(?:stop|end|quit) (?:the )?brewing$", "turn off the coffee machine"),
    (
        r"\b(?:dying for|desperate for|gasping for|need|could murder|could do with|fancy|want|"
        r"kill for|without) (?:a |an |my |some |another )?(?:cup of |nice )?(?:tea|cuppa|brew)\b",
        "turn on the kettle",
    ),
    (
        r"\b(?:crumbs?|mud|muddy|dust|dusty|dirt|dirty|mess|messy|filthy|hair|hairs|fur"
        r"|spill(?:ed|t)?"
        r"|sticky|grubby)\b.*\b(?:floors?|rug|carpet|everywhere|all over|in here|place|room)\b"
        r"|\bneeds? (?:a |some )?(?:good |proper )?(?:clean|hoover|vacuum|sweep|mop|scrub|tidy)\b"
        r"|\b(?:floors?|rug|carpet|place)\b.*\b(?:dirty|mess|messy|filthy|dusty|muddy|crumbs"
        r"|disgusting"
        r"|hair|fur|covered|state)\b|\b(?:dog|cat) (?:hair|fur)\b",
        "start the vacuum",
    ),
    (
        r"\b(?:noise|racket|din|row)\b.*\b(?:vacuum|hoover|roomba|robot)\b"
        r"|\b(?:vacuum|hoover|roomba|robot)\b.*\b(?:noise|noisy|racket|din|loud|annoying|unbearable"
        r"|driving me)\b",
        "stop the vacuum",
    ),
    (
        rf"\b{_LOUD}\b.*\b(?:deaf(?:ening)?|blaring|booming|shouting|loud|racket|hear myself"
        rf"|ears)\b"
        r"|\b(?:can not|can hardly|can barely) hear myself (?:think)?\b|\bblaring\b",
        "turn the volume of the tv down",
    ),
    (
        rf"\b(?:can not|can barely|can hardly|could not) (?:hear|make out"
        rf"|follow)\b.*\b(?:{_LOUD}|they|saying|"
        r"film|movie|word|dialogue|news)\b",
        "turn the volume of the tv up",
    ),
    (
        r"\blet (?!.*\b(?:light|daylight|sun|sunlight|sunshine|air|breeze)\b)"
        r"(?:the |my |our )?[a-z]+(?: [a-z]+)? in$|\b(?:someone|somebody) is at the door\b",
        "unlock the front door",
    ),
)
_CHINESE = (
    (
        r"(?:光线?|灯光?)(?:也|实在)?(?:(?:太|好|很|有点|真)(?:暗|弱)(?!一?[点些])|不足|不够)",
        "灯调亮",
    ),
    (r"地(?:上|板|面).*(?:毛|灰|脏|屑|渣|土|泥|碎|头发|乱)|(?:猫|狗)毛|满地|到处是灰", "打扫"),
    (
        r"听不[清见到].*(?:电视|说|唱|播|讲)|电视.*听不[清见到]|(?:电视|声音)(?:太|有点)小",
        "电视声音大一点",
    ),
    (r"电视.*(?:吵|震|响|闹)|(?:吵|闹)得|耳朵.*(?:疼|聋|痛)", "电视声音小一点"),
    (
        r"黑漆漆|黑乎乎|黑灯瞎火|看不[清见到]|伸手不见|怕黑|摸黑|好黑|太黑|太暗|好暗|想看书|看会儿书",
        "开灯",
    ),
    (
        r"(?:让|放|透).{0,4}(?:太阳|阳光|光).{0,4}(?:照|晒|进)|(?:想|要)(?:晒|见)(?:晒|见)?(?:太阳|阳光)",
        "拉开窗帘",
    ),
    (
        r"(?:外面|邻居|对面|路人|别人|人家).*(?:看见|看到|看得|看进)|(?:太阳|阳光).*(?:晒|照|刺|晃)|反光|太晒|好晒|晒死|晒人",
        "拉上窗帘",
    ),
    (r"刺眼|晃眼|晃得|亮得.*眼|灯.*(?:头疼|头痛|难受)", "灯调暗"),
    (
        r"闷得|好闷|太闷|透不过气|喘不过气|没有?风|憋得慌|一身汗|满头大汗|热死|热得|好热|太热|我.{0,3}热",
        "打开风扇",
    ),
    (r"冷得|冻得|冻死|好冷|太冷|我.{0,3}冷|发抖|哆嗦|手脚冰", "空调温度调高"),
    (r"(?:想|要|来)(?:喝)?(?:杯|点|口)?(?:热水|茶)|口渴|泡面|泡茶", "打开热水壶"),
    (r"困死|好困|犯困|提提神|没精神|想喝咖啡", "打开咖啡机"),
)
_TABLES = {
    language: tuple((re.compile(found), plain) for found, plain in table)
    for language, table in (("en", _ENGLISH), ("zh-CN", _CHINESE))
}
_OTHER = re.compile(
    r"\b(?:outside|weather|yesterday|coffee shop|why|who|he|she|they are|remember|"
    r"song|joke|story|book a|not cold|not hot|will it)\b|外面(?:好|太|真|很)|为什么|谁|昨天|天气|讲"
)
"""Words of sentences that are about something else."""


def command_for(normal_text: str, language: str) -> str:
    """A plain command that may help, to ask about; empty if a sentence tells of no need.

    Args:
        normal_text: the normal form of a sentence.
        language: en or zh-CN.
    """
    if _OTHER.search(normal_text):
        return ""
    return next((plain for found, plain in _TABLES[language] if found.search(normal_text)), "")
