"""For all folders below: what stands here, made_up_class.py and made_up_lab.py, can be imported."""
