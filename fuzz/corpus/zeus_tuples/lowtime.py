[[('forward', 1410), ('backward', 1065),],
 [('forward', 0)],
]
# total cost: 2
