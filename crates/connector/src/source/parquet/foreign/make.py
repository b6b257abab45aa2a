# Makes the files beside it, in the working directory: pyarrow 18.0.0, duckdb 2.0.1, polars 2.1.0. Not run by the tests.
import datetime as dt, decimal, pyarrow as pa, pyarrow.parquet as pq
D=decimal.Decimal
n=5
def when(i): return dt.datetime(2026,3,29,0,30,0,123456)+dt.timedelta(hours=i)
cols={
 'Id': pa.array(range(1,n+1), pa.int64()),
 'Small': pa.array([-128,0,None,1,127], pa.int8()),
 'Big': pa.array([0,2**64-1,None,2**63,1], pa.uint64()),
 'Name': pa.array(['Rīga','Ķengarags',None,'','a"b\\c\n'], pa.string()),
 'Kind': pa.array(['x','y','x',None,'y']).dictionary_encode(),
 'Ok': pa.array([True,False,None,True,False]),
 'Real': pa.array([0.1,1e10,None,-0.0,123456.79], pa.float32()),
 'Double': pa.array([0.1,1e20,None,-0.0,123456.789], pa.float64()),
 'Sum': pa.array([D('1.50'),D('-99999999999999999999999999999999999.99'),None,D('0.00'),D('12345678901234567890.12')], pa.decimal128(38,2)),
 'Little': pa.array([D('1.5'),D('-9.9'),None,D('0.0'),D('3.1')], pa.decimal128(4,1)),
 'Day': pa.array([dt.date(1970,1,1),dt.date(2026,11,28),None,dt.date(1,1,1),dt.date(9999,12,31)], pa.date32()),
 'Local': pa.array([when(i) for i in range(n)], pa.timestamp('us')),
 'Utc': pa.array([None if i==2 else when(i) for i in range(n)], pa.timestamp('us', tz='UTC')),
 'Milli': pa.array([when(i).replace(microsecond=123000) for i in range(n)], pa.timestamp('ms', tz='Europe/Riga')),
 'Clock': pa.array([dt.time(0,0,0),dt.time(23,59,59,999999),None,dt.time(12,30),dt.time(1,2,3)], pa.time64('us')),
 'Bytes': pa.array([b'\x00\xff',b'',None,b'abc',b'x'*60], pa.binary()),
 'Fixed': pa.array([b'0123456789abcdef']*n, pa.binary(16)),
 'Tags': pa.array([['a','b'],[],None,['ž'],[None]], pa.list_(pa.string())),
 'Where': pa.array([{'Street':'Brīvības','Number':1},{'Street':None,'Number':2},None,{'Street':'','Number':None},{'Street':'x','Number':3}], pa.struct([('Street',pa.string()),('Number',pa.int32())])),
 'Pets': pa.array([[{'Name':'Rekss','Toys':['bumba']}],[],None,[{'Name':None,'Toys':None}],[{'Name':'a','Toys':[]},{'Name':'b','Toys':['c','d']}]], pa.list_(pa.struct([('Name',pa.string()),('Toys',pa.list_(pa.string()))]))),
}
t=pa.table(cols)
for name,kw in {
 'arrow_snappy_v1':dict(compression='snappy',version='1.0',data_page_version='1.0', use_dictionary=True),
 'arrow_zstd_v2':dict(compression='zstd',version='2.6',data_page_version='2.0', use_dictionary=False, row_group_size=2, column_encoding=None),
 'arrow_gzip_int96':dict(compression='gzip',use_deprecated_int96_timestamps=True, row_group_size=2),
 'arrow_plain_delta':dict(compression='none',use_dictionary=False,column_encoding={'Id':'DELTA_BINARY_PACKED','Name':'DELTA_BYTE_ARRAY','Double':'BYTE_STREAM_SPLIT','Fixed':'PLAIN'}, write_page_index=True, write_page_checksum=True),
}.items():
    kw={k:v for k,v in kw.items() if v is not None}
    pq.write_table(t,f'{name}.parquet',**kw)
import duckdb
con=duckdb.connect()
con.register('t',t)
con.execute("set timezone='UTC'")
con.execute("copy (select * from t) to 'duckdb.parquet' (format parquet, compression zstd)")
import polars as pl
pl.from_arrow(t).write_parquet('polars.parquet', compression='snappy', statistics=True)
