"""Steers a moto server that checks signatures.

store.py lock ENDPOINT BUCKET   makes a user and a bucket; prints the access key and the secret, one
                                a line. These five calls are the only ones that need no signature:
                                the server runs with INITIAL_NO_AUTH_ACTION_COUNT=5.
store.py open ENDPOINT BUCKET   lets players read without a signature, which moto cannot do while it
                                checks them.
store.py watch ENDPOINT BUCKET PREFIX FOLDER   reads the playlist there again and again, with the key in the
                                environment, and looks for all that each version lists; copies the
                                recording into the folder when it has ended.
"""
import json
import os
import sys
import time
import urllib.request

import boto3

what, endpoint, bucket, *more = sys.argv[1:]


def lock():
    options = dict(endpoint_url=endpoint, region_name="us-east-1",
                   aws_access_key_id="setup", aws_secret_access_key="setup")
    iam = boto3.client("iam", **options)
    iam.create_user(UserName="camera")
    iam.put_user_policy(UserName="camera", PolicyName="write",
                        PolicyDocument=allow(Action="s3:*", Resource="*"))
    key = iam.create_access_key(UserName="camera")["AccessKey"]
    s3 = boto3.client("s3", **options)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=allow(
        Principal="*", Action="s3:GetObject", Resource=f"arn:aws:s3:::{bucket}/*"))
    print(key["AccessKeyId"])
    print(key["SecretAccessKey"])


def allow(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def open_for_players():
    # As a form, which is urllib's default, moto would not see the number.
    urllib.request.urlopen(urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", data=b"inf", headers={"Content-Type": "text/plain"}))


def watch(prefix, folder):
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    seen = []
    while not seen or "#EXT-X-ENDLIST" not in seen[-1]:
        try:
            text = s3.get_object(Bucket=bucket, Key=f"{prefix}/index.m3u8")["Body"].read().decode()
        except s3.exceptions.NoSuchKey:
            text = None
        if text and text not in seen:
            for name in listed(text):
                s3.head_object(Bucket=bucket, Key=f"{prefix}/{name}")  # fails if it is not there
            seen.append(text)
        time.sleep(0.05)
    for name in ["index.m3u8", *listed(seen[-1])]:
        s3.download_file(bucket, f"{prefix}/{name}", os.path.join(folder, name))
    print(len(seen), "versions of the playlist")


def listed(text):
    lines = text.splitlines()
    maps = [line.split('URI="')[1].split('"')[0] for line in lines if line.startswith("#EXT-X-MAP:")]
    return maps + [line for line in lines if line and not line.startswith("#")]


{"lock": lock, "open": open_for_players, "watch": watch}[what](*more)
