"""Names for the slots of sentences: rooms, devices by domain, and words for open slots."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Household:
    """The names of a home in one language."""

    areas: tuple[str, ...]
    floors: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    """Names of entities by Home Assistant's domain."""
    open_slots: dict[str, tuple[str, ...]]
    """Examples by list name, for lists that take any words."""


_EN = Household(
    areas=(
        "living room",
        "kitchen",
        "bedroom",
        "bathroom",
        "hallway",
        "office",
        "garage",
        "nursery",
        "dining room",
        "guest room",
        "attic",
        "garden",
    ),
    floors=("ground", "first", "second", "top"),
    names={
        "light": ("ceiling light", "floor lamp", "desk lamp", "bedside lamp", "fairy lights"),
        "switch": ("coffee machine", "heater plug", "aquarium pump", "Christmas tree"),
        "fan": ("ceiling fan", "tower fan", "extractor fan"),
        "media_player": ("TV", "kitchen speaker", "soundbar", "record player"),
        "input_boolean": ("guest mode", "holiday mode"),
        "climate": ("thermostat", "air conditioner", "underfloor heating"),
        "cover": ("left curtain", "patio blind", "roller shutter", "skylight shade"),
        "lock": ("front door", "back door", "garden gate"),
        "valve": ("water valve", "sprinkler valve", "gas valve"),
        "binary_sensor": ("smoke detector", "window sensor", "motion sensor", "phone charger"),
        "sensor": ("outdoor temperature", "humidity sensor", "power meter"),
        "person": ("Alice", "Bob", "Carla"),
        "scene": ("movie night", "dinner party", "good morning"),
        "script": ("bedtime routine", "morning routine", "water the plants"),
        "todo": ("groceries", "chores", "packing"),
        "vacuum": ("robot vacuum", "Rosie"),
        "lawn_mower": ("robot mower", "lawn mower"),
        "weather": ("home forecast", "London"),
        "button": ("doorbell", "restart router"),
        "input_button": ("panic button", "feeding time"),
    },
    open_slots={
        "message": ("dinner is ready", "time to leave", "the taxi is here"),
        "search_query": ("jazz", "the Beatles", "Kind of Blue", "Dark Side of the Moon", "Frozen"),
        "zone": ("work", "school", "the gym"),
        "timer_name": ("pizza", "laundry", "tea", "homework"),
        "timer_command": ("turn off the lights", "close the blinds", "pause the music"),
        "shopping_list_item": ("milk", "eggs", "bread", "washing powder", "apples"),
        "todo_list_item": ("call mum", "pay the rent", "clean the oven", "buy stamps"),
    },
)
_ZH = Household(
    areas=("客厅", "厨房", "卧室", "浴室", "走廊", "书房", "车库", "婴儿房", "餐厅", "阳台"),
    floors=("一", "二", "三", "地下"),
    names={
        "light": ("吊灯", "落地灯", "书桌灯", "床头灯", "彩灯"),
        "switch": ("咖啡机", "加热器", "鱼缸水泵", "圣诞树"),
        "fan": ("吊扇", "落地扇", "排气扇"),
        "media_player": ("电视", "音箱", "回音壁", "唱片机"),
        "input_boolean": ("访客模式", "度假模式"),
        "climate": ("恒温器", "空调", "地暖"),
        "cover": ("左侧窗帘", "露台百叶", "卷帘", "天窗遮帘"),
        "lock": ("前门", "后门", "花园门"),
        "valve": ("水阀", "喷淋阀", "燃气阀"),
        "binary_sensor": ("烟雾报警器", "窗户传感器", "人体传感器", "手机充电器"),
        "sensor": ("室外温度", "湿度传感器", "电表"),
        "person": ("小明", "小红", "爸爸"),
        "scene": ("电影之夜", "晚餐", "早安"),
        "script": ("睡前准备", "早晨例程", "浇花"),
        "todo": ("待办清单", "家务清单", "行李清单"),
        "vacuum": ("扫地机器人", "小白"),
        "lawn_mower": ("割草机器人",),
        "weather": ("本地天气", "北京"),
    },
    open_slots={
        "message": ("吃饭了", "该出门了", "出租车到了"),
        "search_query": ("爵士乐", "周杰伦的歌", "古典音乐", "儿歌"),
        "zone": ("公司", "学校", "健身房"),
        "timer_name": ("披萨", "洗衣", "泡茶", "作业"),
        "timer_command": ("关灯", "拉上窗帘", "暂停音乐"),
        "shopping_list_item": ("牛奶", "鸡蛋", "面包", "洗衣粉", "苹果"),
        "todo_list_item": ("给妈妈打电话", "交房租", "清洗烤箱", "买邮票"),
    },
)
HOUSEHOLDS: dict[str, Household] = {"en": _EN, "zh-CN": _ZH}
"""Homes by language."""
